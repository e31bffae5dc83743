"""The label gate: decides, before every tool call, whether what the context has read may lead to this effect.

Deterministic: the same effects, arguments and label give the same decision, which names its rule. It never looks at
what the text says, so no wording can talk it round.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

from msgspec import Struct

from homarus.labels import Confidentiality, Label

# the effect names of tools.contract.Effect; a name that is none of these is treated as the most dangerous
FREE_EFFECTS = frozenset({"pure", "read-private", "write-local"})
ASKED_EFFECTS = frozenset({"external-send", "destructive", "write-shared"})
SENDING_EFFECTS = frozenset({"external-send", "write-shared"})
EXEC = "exec"
CONTROL_PLANE = "control-plane"
MAX_SHOWN = 80


class Allow(Struct, frozen=True):
    """The call may go on."""

    rule: str


class Ask(Struct, frozen=True):
    """A human has to approve this very call first; `reason` says what made it doubtful."""

    reason: str
    rule: str


class Refuse(Struct, frozen=True):
    """The call may not be made from this context, whoever approves it."""

    reason: str
    rule: str


Decision = Allow | Ask | Refuse


def decide(
    effects: Set[str],
    control: Set[str],
    label: Label,
    arguments: Mapping[str, object],
    *,
    is_sandboxed: bool,
) -> Decision:
    """Decide about one call. `control` names the arguments that steer it; `is_sandboxed` tells whether a command of
    this call would run inside a working sandbox."""
    unknown = effects - FREE_EFFECTS - ASKED_EFFECTS - {EXEC, CONTROL_PLANE}
    asked = effects & ASKED_EFFECTS
    # refusals first: a reason to ask must never soften one
    if EXEC in effects and not is_sandboxed:
        return Refuse("commands run only inside a sandbox, and none works here", "exec-needs-sandbox")
    if label.is_tainted and (CONTROL_PLANE in effects or unknown):
        return Refuse(f"settings are not changed from a context that has read {_sources(label)}", "tainted-control")
    if label.confidentiality is Confidentiality.SECRET and effects & SENDING_EFFECTS:
        return Ask("the context holds something secret", "secret-flow")
    if not label.is_tainted:
        return Allow("trusted-action")
    if asked:
        reason = f"{_listed(asked)} in a context that has read {_sources(label)}{_steering(control, arguments)}"
        return Ask(reason, f"tainted-{min(asked)}")
    return Allow("tainted-exec-in-sandbox" if EXEC in effects else "tainted-local")


def _sources(label: Label) -> str:
    return ", ".join(label.origins) or "untrusted text"


def _listed(names: Set[str]) -> str:
    return " and ".join(sorted(names))


def _steering(control: Set[str], arguments: Mapping[str, object]) -> str:
    shown = [f"{name}={str(arguments[name])[:MAX_SHOWN]!r}" for name in sorted(control) if name in arguments]
    return f" ({', '.join(shown)})" if shown else ""
