"""One beat: what is asked of the agent, and what its answer leads to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, cast

from msgspec import Struct

from homarus.automation.contract import Post
from homarus.automation.heartbeat.checklist import Checklist, Task
from homarus.automation.heartbeat.record import Beaten, HeartbeatEvent, Pending
from homarus.automation.heartbeat.reply import OK, read_answer
from homarus.automation.heartbeat.rhythm import LAST, NONE, Rhythm
from homarus.automation.routes import Routes
from homarus.config.schema import Config
from homarus.errors import UserError
from homarus.ids import Address
from homarus.pipeline.contract import RunOutcome
from homarus.storage.records import OutboundMessage

INTERVAL: Final = "interval"
"""Why a heart beats by itself; any other reason is an event."""
MAX_PREVIEW: Final = 200
REPEAT_MS: Final = 24 * 3_600_000
"""The same text is not said again within this time (reference automation §2)."""
_RULE = f"If nothing needs attention, answer only {OK}; otherwise say what your owner should know, without {OK}."
_PROMPT = (
    "This is a heartbeat: nobody has written. Work through the checklist below, now. "
    f"Do not repeat what you did or reported before. {_RULE}"
)
_EVENTS = f"This has just come up; nobody has written. Do what it asks, or pass it on in your own words. {_RULE}"
_SOUNDS = {"sent": "alert", "failed": "error", "ok-token": "ok", "ok-empty": "ok"}


class Verdict(Struct, frozen=True):
    """What an answer leads to: an event, parts to send, and whether the beat leaves no trace in its session."""

    event: HeartbeatEvent
    parts: tuple[OutboundMessage, ...] = ()
    address: Address | None = None
    text: str = ""
    is_forgotten: bool = False


def checklist_prompt(rhythm: Rhythm, checklist: Checklist, due: tuple[Task, ...]) -> str:
    """Return what an agent is asked when its heart beats by itself."""
    blocks = [rhythm.prompt or _PROMPT]
    if checklist.text:
        blocks.append(f"HEARTBEAT.md:\n{checklist.text}")
    if due:
        blocks.append("Due now:\n" + "\n".join(f"- {task.name}: {task.prompt}" for task in due))
    return "\n\n".join(blocks)


def event_prompt(lines: list[str]) -> str:
    """Return what an agent is asked when something has come up."""
    return "\n".join(lines) + f"\n\n{_EVENTS}"


class Judge:
    """Turns answers into verdicts."""

    def __init__(self, config: Callable[[], Config], routes: Routes, post: Post) -> None:
        self._config = config
        self._routes = routes
        self._post = post

    async def judge(
        self, rhythm: Rhythm, pending: Pending, beaten: Beaten, outcome: RunOutcome | None, now: int
    ) -> Verdict:
        """Return what a turn that ended leads to; None is one that was taken out of its queue."""
        base: HeartbeatEvent = {"ts": now, "durationMs": max(0, now - pending.started_at)}
        if outcome is None or outcome.state != "done":
            why = outcome.error or f"the turn was {outcome.state}" if outcome else "stopped before it began"
            return Verdict(_event(base, "failed", reason=why[:MAX_PREVIEW]))
        answer = read_answer(outcome.text, rhythm.ack_chars)
        address, refusal = await self._address(rhythm, pending.reason)
        sight = self._sight(address)
        if answer.is_ok:
            status = "ok-empty" if answer.is_empty else "ok-token"
            shown = address if sight.get("showOk") is True and not answer.is_empty else None
            event = _event(base, status, sight=sight, preview=answer.text, address=shown, silent=shown is None)
            parts = self._parts(pending, shown, OK) if shown else ()
            return Verdict(event, parts, shown, is_forgotten=pending.reason == INTERVAL)
        if address is not None:
            refusal = self._refusal(answer.text, sight, beaten, now)
        if address is None or refusal is not None:
            return Verdict(_event(base, "skipped", reason=refusal or "no-target", preview=answer.text))
        event = _event(base, "sent", sight=sight, preview=answer.text, address=address)
        return Verdict(event, self._parts(pending, address, answer.text), address, answer.text)

    def _parts(self, pending: Pending, address: Address, text: str) -> tuple[OutboundMessage, ...]:
        return tuple(self._post.parts(f"heartbeat:{pending.run_id}", address, text))

    async def _address(self, rhythm: Rhythm, reason: str) -> tuple[Address | None, str | None]:
        """Return where an answer goes, or why nowhere. What somebody wanted now goes to the last chat by default."""
        target = LAST if rhythm.target == NONE and reason == "wake" else rhythm.target
        if target == NONE:
            return None, "target-none"
        if target == LAST and rhythm.to is None:
            found = await self._routes.last(rhythm.agent_id)
            return (None, "no-target") if found is None else self._checked(rhythm, found, is_direct=True)
        try:
            found = await self._routes.find(rhythm.agent_id, target, rhythm.to, rhythm.account)
        except UserError:
            return None, "unknown-account" if rhythm.account else "no-target"
        return self._checked(rhythm, found, is_direct=not await self._routes.is_group(found))

    def _checked(self, rhythm: Rhythm, address: Address, *, is_direct: bool) -> tuple[Address | None, str | None]:
        return (None, "dm-blocked") if rhythm.blocks_direct and is_direct else (address, None)

    def _refusal(self, text: str, sight: Mapping[str, object], beaten: Beaten, now: int) -> str | None:
        if sight.get("showAlerts") is False:
            return "alerts-disabled"
        if text == beaten.told and now - beaten.told_at < REPEAT_MS:
            return "duplicate"
        return None

    def _sight(self, address: Address | None) -> Mapping[str, object]:
        """Return showOk, showAlerts and useIndicator: of the account over the channel over `channels.defaults`."""
        channels = self._config().channels
        sight: dict[str, object] = {"showOk": False, "showAlerts": True, "useIndicator": True}
        if "defaults" in channels.model_fields_set and "heartbeat" in channels.defaults.model_fields_set:
            shown = channels.defaults.heartbeat
            said = (shown.show_ok, shown.show_alerts, shown.use_indicator)
            sight |= {name: value for name, value in zip(sight, said, strict=True) if value is not None}
        if address is None:
            return sight
        section = _object(channels.sections.get(address.channel))
        account = _object(_object(section.get("accounts")).get(address.account))
        return {**sight, **_object(section.get("heartbeat")), **_object(account.get("heartbeat"))}


def _event(
    base: HeartbeatEvent,
    status: str,
    *,
    reason: str | None = None,
    preview: str = "",
    sight: Mapping[str, object] | None = None,
    address: Address | None = None,
    silent: bool = False,
) -> HeartbeatEvent:
    sound = _SOUNDS.get(status) if (sight or {}).get("useIndicator", True) else None
    found: HeartbeatEvent = {
        **base,
        "status": status,
        "reason": reason,
        "preview": preview[:MAX_PREVIEW] or None,
        "channel": address.channel if address else None,
        "to": address.chat if address else None,
        "accountId": address.account if address else None,
        "silent": True if silent else None,
        "indicatorType": sound,
    }
    return {name: value for name, value in found.items() if value is not None}


def skipped(reason: str, now: int) -> HeartbeatEvent:
    """Return the event of a beat for which no model was asked."""
    return _event({"ts": now, "durationMs": 0}, "skipped", reason=reason)


def _object(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}
