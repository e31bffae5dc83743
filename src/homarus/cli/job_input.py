"""A job from the options of `homarus cron add` and `edit`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from homarus.cli.exits import UsageFailure
from homarus.config.units import parse_duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from homarus.cli.reply import Row

HELP = "homarus cron add --help"


def new_job(options: Mapping[str, object]) -> Row:
    """Return the parameters of `cron.add`. Raises UsageFailure naming what is missing or too much."""
    schedule, payload = _schedule(options), _payload(options)
    if schedule is None:
        raise UsageFailure("say when: one of --at, --every or --cron", fix=HELP)
    if payload is None:
        raise UsageFailure("say what: one of --message or --system-event", fix=HELP)
    job = job_patch(options)
    if options.get("is_disabled"):
        job["enabled"] = False
    if options.get("keep"):
        job["deleteAfterRun"] = False
    return job


def job_patch(options: Mapping[str, object]) -> Row:
    """Return what the options say of a job, nothing else. Raises UsageFailure."""
    names = {"name": "name", "agent": "agentId", "target": "sessionTarget", "wake": "wakeMode"}
    found: Row = {wire: options[name] for name, wire in names.items() if options.get(name) is not None}
    parts = (("schedule", _schedule(options)), ("payload", _payload(options)), ("delivery", _delivery(options)))
    return {**found, **{name: value for name, value in parts if value is not None}}


def _schedule(options: Mapping[str, object]) -> Row | None:
    given = [name for name in ("at", "every", "cron") if options.get(name) is not None]
    if len(given) > 1:
        raise UsageFailure("name only one of --at, --every and --cron", fix=HELP)
    if not given:
        if options.get("tz") or options.get("stagger"):
            raise UsageFailure("--tz and --stagger belong to --cron", fix=HELP)
        return None
    value = str(options[given[0]])
    if given[0] == "at":
        return {"kind": "at", "at": _moment(value)}
    if given[0] == "every":
        return {"kind": "every", "everyMs": _millis(value, "--every")}
    schedule: Row = {"kind": "cron", "expr": value}
    if options.get("tz"):
        schedule["tz"] = options["tz"]
    if options.get("stagger") is not None:
        schedule["staggerMs"] = _millis(str(options["stagger"]), "--stagger")
    return schedule


def _payload(options: Mapping[str, object]) -> Row | None:
    message, event = options.get("message"), options.get("system_event")
    if message is not None and event is not None:
        raise UsageFailure("name only one of --message and --system-event", fix=HELP)
    if event is not None:
        return {"kind": "systemEvent", "text": event}
    names = {"message": "message", "model": "model", "thinking": "thinking", "timeout": "timeoutSeconds"}
    found: Row = {wire: options[name] for name, wire in names.items() if options.get(name) is not None}
    return {"kind": "agentTurn", **found} if found else None


def _delivery(options: Mapping[str, object]) -> Row | None:
    names = {"channel": "channel", "to": "to", "account": "accountId"}
    found: Row = {wire: options[name] for name, wire in names.items() if options.get(name) is not None}
    is_announced = options.get("announce")
    if is_announced is None and not found:
        return None
    return {"mode": "none" if is_announced is False else "announce", **found}


def _moment(text: str) -> str:
    """Return an ISO time as it is; `20m` or `+20m` as milliseconds from now."""
    try:
        seconds = parse_duration(text.removeprefix("+"))
    except ValueError:
        return text
    return text if text.isdigit() else str(int((time.time() + seconds) * 1000))


def _millis(text: str, option: str) -> int:
    try:
        return round(parse_duration(text, unit="s") * 1000)
    except ValueError as error:
        raise UsageFailure(f"{option} {error}", fix=f"{option} 30m") from error
