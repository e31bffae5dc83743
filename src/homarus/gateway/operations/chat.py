"""Chat methods (reference 02, run lifecycle)."""

from __future__ import annotations

from typing import Final

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.message_input import clean_message, read_images
from homarus.gateway.operations.registry import Get, Post, operation
from homarus.gateway.operations.run_start import acknowledge, start_run, stop_runs
from homarus.gateway.operations.target import read_key, runnable_key
from homarus.gateway.run_feed import stored_message
from homarus.gateway.transcript import INJECTED_MODEL, history_of
from homarus.ids import Address, RunId
from homarus.labels import OPERATOR
from homarus.pipeline.contract import Submission
from homarus.pipeline.orders import is_stop_word
from homarus.protocol.chat import (
    AbortResult,
    ChatAbortParams,
    ChatHistory,
    ChatHistoryParams,
    ChatInjectParams,
    ChatSendParams,
    RunAck,
)
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.storage.records import Session

DEFAULT_HISTORY: Final = 200


@operation("chat.send", scope=Scope.WRITE, rest=Post("/api/chat/send"))
async def send(call: Call, params: ChatSendParams) -> RunAck | AbortResult:
    """Send a message to a session; the answer acknowledges it, the reply arrives as `chat` events.

    The idempotency key is the id of the run: the same one again answers how that run stands.
    """
    _check_rights(call, params)
    text = clean_message(params.message)
    images = read_images(params.attachments, "chat.send")
    if not text.strip() and not images:
        raise invalid("message or attachment required")
    key = runnable_key(call, params.session_key)
    if is_stop_word(text):
        return await stop_runs(call, key, None, "stop")
    session = await call.services.sessions.get(key)
    if _setting(session, "sendPolicy") == "deny":
        raise invalid("send blocked by session policy")
    submission = Submission(
        run_id=RunId(params.idempotency_key),
        agent_id=key.agent_id,
        session_key=str(key),
        text=text,
        kind="chat",
        requester=call.caller.requester,
        images=images,
        thinking=params.thinking or _setting(session, "thinkingLevel"),
        timeout=params.timeout_ms / 1000 if params.timeout_ms else None,
        deliver_to=_origin_address(params),
    )
    return acknowledge(params.idempotency_key, await start_run(call, submission, key, params.session_key))


@operation("chat.history", scope=Scope.READ, rest=Get("/api/chat/history"))
async def history(call: Call, params: ChatHistoryParams) -> ChatHistory:
    """Return the last messages of a session, cleaned for people; an unknown session has none."""
    key = read_key(call, params.session_key)
    session = await call.services.sessions.get(key)
    configured = call.services.config.current.config.agents.defaults.thinking_default
    answer: ChatHistory = {
        "sessionKey": params.session_key,
        "messages": [],
        "thinkingLevel": _setting(session, "thinkingLevel") or configured or "off",
    }
    if session is None:
        return answer
    entries = await call.services.sessions.entries(session.session_id, params.limit or DEFAULT_HISTORY)
    answer["sessionId"] = session.session_id
    answer["messages"] = history_of(entries, params.max_chars or call.core.settings.history_chars)
    is_fast = session.meta.get("fastMode")
    if isinstance(is_fast, bool):
        answer["fastMode"] = is_fast
    verbose = _setting(session, "verboseLevel")
    if verbose is not None:
        answer["verboseLevel"] = verbose
    return answer


@operation("chat.abort", scope=Scope.WRITE, rest=Post("/api/chat/abort"))
async def abort(call: Call, params: ChatAbortParams) -> AbortResult:
    """Stop the runs of a session, or one of them; only admins stop what others started."""
    return await stop_runs(call, read_key(call, params.session_key), params.run_id, "rpc")


@operation("chat.inject", scope=Scope.ADMIN, is_listed=False)
async def inject(call: Call, params: ChatInjectParams) -> JsonObject:
    """Add an assistant message to a transcript without a run."""
    key = read_key(call, params.session_key)
    session = await call.services.sessions.get(key)
    if session is None:
        raise invalid("session not found")
    text = clean_message(params.message)
    if params.label:
        text = f"[{params.label}]\n\n{text}"
    payload: JsonObject = {
        "text": text,
        "thinking": "",
        "tool_calls": [],
        "provider": "homarus",
        "model": INJECTED_MODEL,
        "stop_reason": "stop",
        "injected": True,
    }
    entry = await call.services.sessions.append(session, "assistant", payload, OPERATOR)
    call.core.feed.tell_injected(str(key), entry.id, stored_message(text, entry.created_at))
    call.core.session_feed.changed(key, "send")
    return {"ok": True, "messageId": entry.id}


def _check_rights(call: Call, params: ChatSendParams) -> None:
    has_part = any((params.originating_account_id, params.originating_thread_id))
    if params.originating_channel or params.originating_to or has_part:
        if not (params.originating_channel and params.originating_to):
            raise invalid("originatingChannel and originatingTo are required together")
        if not call.caller.is_admin:
            raise invalid("originating route fields require admin scope")
    has_provenance = params.system_input_provenance is not None or params.system_provenance_receipt
    if has_provenance and not call.caller.is_admin:
        raise invalid("system provenance fields require admin scope")


def _origin_address(params: ChatSendParams) -> Address | None:
    """Return where the reply goes besides the caller: only with `deliver`, to the route an admin named."""
    if not params.deliver or not params.originating_channel or not params.originating_to:
        return None
    account = params.originating_account_id or "default"
    return Address(params.originating_channel, account, params.originating_to, params.originating_thread_id)


def _setting(session: Session | None, name: str) -> str | None:
    value = session.meta.get(name) if session is not None else None
    return value if isinstance(value, str) and value else None
