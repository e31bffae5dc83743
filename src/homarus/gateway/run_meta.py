"""What the answer of `agent` says about a run besides its text (reference 02; version 4: v4-differences §8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from homarus.errors import UserError
from homarus.gateway.services import Services
from homarus.gateway.session_rows import model_defaults
from homarus.gateway.transcript import visible_text
from homarus.models.contract import ModelInfo
from homarus.pipeline.contract import RunOutcome
from homarus.protocol.frames import JsonObject, as_object
from homarus.sessions.keys import parse_key
from homarus.storage.entries import select_steps
from homarus.storage.records import Entry

_UNPRICED: Final[JsonObject] = {"total": 0}
"""No price of a model is known to this gateway."""


async def run_meta(services: Services, outcome: RunOutcome) -> JsonObject:
    """Return times, prompt and reply, model, tokens, room left and receipt of a run that ended."""
    steps = await services.database.read(select_steps, outcome.session_id, outcome.run_id)
    session = await services.sessions.get(parse_key(outcome.session_key))
    settings = session.meta if session is not None else {}
    prompt = next((str(step.payload.get("text") or "") for step in steps if step.type == "user"), "")
    receipt = _receipt(services, outcome, settings, steps)
    ended = outcome.ended_at if outcome.ended_at is not None else outcome.started_at
    stop = outcome.stop_reason or "stop"
    meta: JsonObject = {
        "durationMs": max(0, ended - outcome.started_at),
        "agentMeta": await _agent_meta(services, outcome, steps, receipt),
        "aborted": outcome.state == "aborted",
        "finalPromptText": prompt,
        "finalAssistantVisibleText": visible_text(outcome.text),
        "finalAssistantRawText": outcome.text,
        "replayInvalid": False,
        "livenessState": "working",
        "executionTrace": _trace(outcome, is_rerouted=bool(receipt["rerouted"])),
        "requestShaping": {"thinking": str(settings.get("thinkingLevel") or model_defaults(services).thinking)},
        "completion": {"stopReason": stop, "finishReason": stop},
    }
    if outcome.stop_reason:
        meta["stopReason"] = outcome.stop_reason
    report = await _report(services, outcome, len(prompt))
    return meta if report is None else {**meta, "systemPromptReport": report}


async def _report(services: Services, outcome: RunOutcome, prompt_chars: int) -> JsonObject | None:
    """Return what the prompt was made of, with what this turn added to it; None when nobody keeps it."""
    record = await services.prompts.find(outcome.session_key) if services.prompts is not None else {}
    report = as_object(record.get("systemPromptReport"))
    turn = {"promptChars": prompt_chars, "runtimeContextChars": 0, "modelOnlyPromptChars": 0}
    return None if report is None else {**report, "currentTurn": turn}


def _trace(outcome: RunOutcome, *, is_rerouted: bool) -> JsonObject:
    provider, _, model = (outcome.model or "").partition("/")
    result = "aborted" if outcome.state == "aborted" else "success"
    attempt = {"provider": provider, "model": model, "result": result, "stage": "assistant"}
    return {
        "winnerProvider": provider,
        "winnerModel": model,
        "attempts": [attempt],
        "fallbackUsed": is_rerouted,
        "runner": "embedded",
    }


async def _agent_meta(
    services: Services, outcome: RunOutcome, steps: Sequence[Entry], receipt: JsonObject
) -> JsonObject:
    provider, _, model = (outcome.model or "").partition("/")
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
        "terminalReceipt": receipt,
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


def _receipt(services: Services, outcome: RunOutcome, settings: JsonObject, steps: Sequence[Entry]) -> JsonObject:
    """Return which model was asked for, which answered, and which tools worked."""
    provider, _, model = (outcome.model or "").partition("/")
    effective = {"provider": provider, "model": model}
    override = settings.get("modelOverride")
    asked = _info(services, override if isinstance(override, str) else None)
    requested = {"provider": asked.provider, "model": asked.id} if asked is not None else effective
    done = [step.payload.get("name") for step in steps if step.type == "tool_result" and not step.payload["is_error"]]
    return {
        "runId": outcome.run_id,
        "sessionId": outcome.session_id,
        "turnId": outcome.run_id,
        "requested": requested,
        "effective": {**effective, "responseModel": model},
        "successfulToolNames": list(dict.fromkeys(done)),
        "rerouted": requested != effective,
    }
