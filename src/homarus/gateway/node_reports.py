"""What nodes report of themselves, told to the agent: commands that ended, notifications of a phone."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from homarus.labels import Confidentiality, Integrity, Label
from homarus.protocol.frames import JsonObject

if TYPE_CHECKING:
    from homarus.gateway.core import GatewayCore
    from homarus.nodes.registry import NodeSession
    from homarus.sessions.keys import SessionKey

log = logging.getLogger("homarus.gateway.nodes")

REPORTS: Final = ("exec.started", "exec.finished", "exec.denied", "notifications.changed")
MAX_COMMAND: Final = 300
MAX_OUTPUT: Final = 180
MAX_NOTE: Final = 120
"""Characters of a command, of its output, and of one text of a notification (reference nodes §8)."""


async def tell_report(core: GatewayCore, node: NodeSession, event: str, payload: JsonObject, key: SessionKey) -> None:
    """Tell a session what a node reports; an agent that has heartbeats looks at it at once."""
    hearts = core.services.hearts
    text = _notification(node, payload) if event == "notifications.changed" else _exec(core, node, event, payload)
    if hearts is None or not text:
        return
    if not node.may_run(core.services.clock.monotonic()):
        log.warning("node %s reports too fast; %s ignored", node.node_id, event)
        return
    label = Label(Integrity.EXTERNAL, Confidentiality.PRIVATE, (f"node:{node.node_id[:16]}",))
    reason = "notifications-event" if event == "notifications.changed" else "exec-event"
    is_now = event != "exec.started" and hearts.rhythm(key.agent_id).every > 0
    await hearts.tell(text, is_now=is_now, key=key, label=label, reason=reason)


def _exec(core: GatewayCore, node: NodeSession, event: str, payload: JsonObject) -> str:
    """Return what is told of a command; nothing for one that ended well without a word, or when that is not wanted."""
    tool = core.services.config.current.config.tools.exec
    if payload.get("suppressNotifyOnExit") is True or not tool.notify_on_exit:
        return ""
    command, about = _line(payload.get("command"), MAX_COMMAND), f"node={_name(node)} id={_line(payload.get('runId'))}"
    if event == "exec.started":
        return f"Exec started ({about}): {command}"
    if event == "exec.denied":
        return f"Exec denied ({about}, {_line(payload.get('reason'))}): {command}"
    code, output = payload.get("exitCode"), _line(payload.get("output"), MAX_OUTPUT)
    if code == 0 and not output and not tool.notify_on_exit_empty_success:
        return ""
    ended = "timeout" if payload.get("timedOut") is True else f"code {code if isinstance(code, int) else '?'}"
    return f"Exec finished ({about}, {ended}): {command} -> {output}" if output else f"Exec finished ({about}, {ended})"


def _notification(node: NodeSession, payload: JsonObject) -> str:
    change, key = payload.get("change"), _line(payload.get("key"))
    if change not in {"posted", "removed"} or not key:
        return ""
    package = _line(payload.get("packageName"))
    about = f"node={_name(node)} key={key}" + (f" package={package}" if package else "")
    said = [text for name in ("title", "text") if (text := _line(payload.get(name)))]
    return f"Notification {change} ({about})" + (f": {' - '.join(said)}" if said else "")


def _name(node: NodeSession) -> str:
    return _line(node.facts.display_name) or node.node_id[:12]


def _line(value: object, limit: int = MAX_NOTE) -> str:
    """Return a text as one line: what a node says must not look like another event."""
    return " ".join(str(value).split())[:limit] if isinstance(value, str | int) else ""
