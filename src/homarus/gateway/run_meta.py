"""What the answer of `agent` says about a run besides its text (reference 02; version 4: v4-differences §8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from homarus.errors import UserError
from homarus.gateway.services import Services
from homarus.gateway.session_rows import model_defaults
from homarus.models.contract import ModelInfo
from homarus.pipeline.contract import RunOutcome
from homarus.protocol.frames import JsonObject
from homarus.sessions.keys import parse_key
from homarus.storage.entries import select_steps
from homarus.storage.records import Entry

_UNPRICED: Final[JsonObject] = {"total": 0}
"""No price of a model is known to this gateway."""


async def agent_meta(services: Services, outcome: RunOutcome) -> JsonObject:
    """Return session, model, tokens, room left and receipt of a run that ended."""
    provider, _, model = (outcome.model or "").partition("/")
    steps = await services.database.read(select_steps, outcome.session_id, outcome.run_id)
    before = (await services.sessions.page_of(outcome.session_id, 1)).total - len(steps)
    window, reserve = _limits(services, outcome.model)
    used = _used(outcome)
    return {
        "sessionId": outcome.session_id,
        "sessionFile": outcome.session_key,
        "provider": provider,
        "model": model,
        "contextTokens": window,
        "contextTokensSource": "resolved",
        "agentHarnessId": "homarus",
        "credentialSource": {"kind": "direct", "evidence": "provider-config", "authorization": "declared"},
        "usage": used,
        "lastCallUsage": used,
        "promptTokens": used["input"],
        "contextBudgetStatus": {
            **_room(outcome, window, reserve),
            "provider": provider,
            "model": model,
            **_counted(before),
        },
        "codeModeEngaged": False,
        "assistantTurns": sum(step.type == "assistant" for step in steps),
        "bridgeCalls": {"search": 0, "describe": 0, "call": 0},
        "costUsd": _UNPRICED["total"],
        "terminalReceipt": await _receipt(services, outcome, provider, model, steps),
    }


def _used(outcome: RunOutcome) -> JsonObject:
    usage = outcome.usage
    return {
        "input": usage.input_tokens or 0,
        "output": usage.output_tokens or 0,
        "cacheRead": usage.cache_read_tokens or 0,
        "cacheWrite": usage.cache_write_tokens or 0,
        "total": (usage.input_tokens or 0) + (usage.output_tokens or 0),
        "cost": _UNPRICED,
    }


def _limits(services: Services, ref: str | None) -> tuple[int, int]:
    """Return how many tokens a model takes, and how many of them are kept for its answer."""
    info = _info(services, ref)
    if info is None:
        return model_defaults(services).context_tokens, 0
    return info.context_window, min(info.max_tokens, info.context_window)


def _info(services: Services, ref: str | None) -> ModelInfo | None:
    try:
        return services.models.resolve(ref).info
    except UserError:
        return None


def _counted(messages: int) -> JsonObject:
    return {"messageCount": messages, "unwindowedMessageCount": messages}


def _room(outcome: RunOutcome, window: int, reserve: int) -> JsonObject:
    """Return how full the context was at the last call, as the provider counted."""
    prompt = outcome.usage.input_tokens or 0
    left = window - reserve - prompt
    return {
        "schemaVersion": 1,
        "source": "provider-usage",
        "updatedAt": outcome.ended_at or outcome.started_at,
        "route": "fits" if left >= 0 else "compact",
        "shouldCompact": left < 0,
        "estimatedPromptTokens": prompt,
        "contextTokenBudget": window,
        "promptBudgetBeforeReserve": window,
        "reserveTokens": reserve,
        "effectiveReserveTokens": reserve,
        "remainingPromptBudgetTokens": max(0, left),
        "overflowTokens": max(0, -left),
        "toolResultReducibleChars": 0,
        "sessionId": outcome.session_id,
    }


async def _receipt(
    services: Services, outcome: RunOutcome, provider: str, model: str, steps: Sequence[Entry]
) -> JsonObject:
    """Return which model was asked for, which answered, and which tools worked."""
    session = await services.sessions.get(parse_key(outcome.session_key))
    override = session.meta.get("modelOverride") if session is not None else None
    asked = _info(services, override if isinstance(override, str) else None)
    requested = {"provider": asked.provider, "model": asked.id} if asked is not None else {}
    effective = {"provider": provider, "model": model}
    done = [step.payload.get("name") for step in steps if step.type == "tool_result" and not step.payload["is_error"]]
    return {
        "runId": outcome.run_id,
        "sessionId": outcome.session_id,
        "turnId": outcome.run_id,
        "requested": requested or effective,
        "effective": {**effective, "responseModel": model},
        "successfulToolNames": list(dict.fromkeys(done)),
        "rerouted": bool(requested) and requested != effective,
    }
