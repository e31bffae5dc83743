"""`gateway.overview`: everything the status screen shows, in one answer."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from homarus import __version__
from homarus.config.paths import MIN_FREE_BYTES
from homarus.errors import HomarusError
from homarus.gateway.health import account_row
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import Get, operation
from homarus.gateway.process import read_process
from homarus.gateway.services import ChannelAccount, Services
from homarus.gateway.supervisor import Supervised
from homarus.protocol.base import NoParams
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.storage.counts import Failures, count_failures, count_stored

DAY_MS: Final = 86_400_000
ACTIVE_MS: Final = 3_600_000
WAITING: Final = ("pending", "sending", "ambiguous")
BUILT_IN: Final = "homarus/"
"""What the references of built-in models begin with."""


@operation("gateway.overview", scope=Scope.READ, rest=Get("/api/overview"))
async def overview(call: Call, params: NoParams) -> JsonObject:  # noqa: ARG001 - the signature of operations
    """Return how the gateway stands: process, model, channels, queues, failures of a day, and what needs attention."""
    services = call.services
    now = services.clock.now_ms()
    stored = await services.database.read(count_stored, now - ACTIVE_MS)
    failures = await services.database.read(count_failures, now - DAY_MS)
    requests = await services.pairing.list(None)
    accounts = services.channels.accounts()
    tasks = _tasks(call)
    model, problem = _model(services)
    waiting = services.reloader.awaiting if services.reloader is not None else ()
    attention = [
        *_room_attention(services.config.current.path.parent),
        *_config_attention(services),
        *_model_attention(model, problem),
        *_channel_attention(accounts),
        *_task_attention(tasks),
        *_failure_attention(failures),
        *_restart_attention(waiting),
        *(
            _note(
                f"{each.sender_name or each.sender_id} on {each.channel} waits to be let in",
                f"homarus pairing approve {each.channel} {each.code}",
            )
            for each in requests
            if call.caller.is_admin
        ),
    ]
    return {
        "ts": now,
        "version": __version__,
        "uptimeMs": round(call.core.uptime * 1000),
        "memoryBytes": read_process().resident_bytes,
        "clients": len(call.core.hub.connections),
        "model": model,
        "channels": [{"channel": each.channel, "label": each.name, **account_row(each)} for each in accounts],
        "queue": _queue(services, sum(stored.parts.get(state, 0) for state in WAITING)),
        "sessions": {"stored": stored.sessions, "active": stored.active_sessions},
        "failures": {"messages": failures.messages, "runs": failures.runs, "parts": failures.parts},
        "tasks": [_task(each) for each in tasks],
        "needsRestart": list(waiting),
        "attention": attention,
    }


def _queue(services: Services, parts: int) -> JsonObject:
    instruments = services.instruments
    if instruments is None:
        return {"running": len(services.runs.active()), "waiting": 0, "limit": 0, "parts": parts}
    load = instruments.load()
    return {"running": load.running, "waiting": load.waiting, "limit": load.limit, "parts": parts}


def _tasks(call: Call) -> tuple[Supervised, ...]:
    instruments = call.services.instruments
    return (*(instruments.tasks() if instruments is not None else ()), *call.core.background())


def _task(each: Supervised) -> JsonObject:
    return {"name": each.name, "state": each.state, "restarts": each.restarts, "error": each.error}


def _model(services: Services) -> tuple[str | None, str | None]:
    """Return the default model, or why there is none."""
    try:
        return services.models.resolve(None).info.ref, None
    except HomarusError as error:
        return None, error.message


def _note(text: str, todo: str) -> JsonObject:
    return {"text": text, "todo": todo}


def _room_attention(folder: Path) -> Iterator[JsonObject]:
    free = shutil.disk_usage(folder).free if folder.exists() else MIN_FREE_BYTES
    if free < MIN_FREE_BYTES:
        yield _note(f"only {free // 1024 // 1024} MiB are free on the disk of {folder}", "homarus doctor")


def _config_attention(services: Services) -> Iterator[JsonObject]:
    if services.reloader is not None and services.reloader.is_refused:
        path = services.config.current.path
        yield _note(f"{path} has errors; the last good configuration is in force", "homarus config validate")


def _model_attention(model: str | None, problem: str | None) -> Iterator[JsonObject]:
    if problem is not None:
        yield _note(f"the default model cannot be used: {problem}", "homarus config get agents.defaults.model")
    elif model is not None and model.startswith(BUILT_IN):
        yield _note(
            "only the built-in rules answer, no language model is set up",
            "homarus onboard",
        )


def _channel_attention(accounts: tuple[ChannelAccount, ...]) -> Iterator[JsonObject]:
    for each in accounts:
        if not each.is_connected:
            why = each.last_error or "no connection yet"
            what = f"homarus logs --component channels.{each.channel} --level warn"
            yield _note(f"{each.name} {each.account} is not connected: {why}", what)


def _restart_attention(waiting: tuple[str, ...]) -> Iterator[JsonObject]:
    if waiting:
        todo = "homarus up, once the running one was stopped; as a service: systemctl --user restart homarus"
        yield _note(f"restart needed for: {', '.join(waiting)}", todo)


def _task_attention(tasks: tuple[Supervised, ...]) -> Iterator[JsonObject]:
    for each in tasks:
        # What keeps a receiver from connecting is told with its channel.
        is_told = "/" in each.name and not each.name.endswith(" delivery")
        if each.state in {"resting", "given up"} and not is_told:
            yield _note(f"{each.name} is {each.state}: {each.error}", "homarus logs --component supervisor")


def _failure_attention(failures: Failures) -> Iterator[JsonObject]:
    if failures.messages:
        count = f"{failures.messages} message{'s' if failures.messages > 1 else ''}"
        yield _note(f"{count} failed within 24 hours", "homarus messages list --state failed")
