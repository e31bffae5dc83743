"""Chat methods (reference 02, run lifecycle)."""

from __future__ import annotations

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.chat_history import setting_of
from homarus.gateway.operations.message_input import clean_message, read_images
from homarus.gateway.operations.registry import Post, operation
from homarus.gateway.operations.run_start import acknowledge, interrupt, start_run, stop_runs
from homarus.gateway.operations.target import read_key, runnable_key
from homarus.gateway.run_teller import stored_message
from homarus.gateway.transcript import INJECTED_MODEL
from homarus.ids import Address, RunId
from homarus.labels import OPERATOR
from homarus.pipeline.contract import Submission
from homarus.pipeline.orders import is_stop_word
from homarus.protocol.chat import (
    AbortResult,
    ChatAbortParams,
    ChatInjectParams,
    ChatSendParams,
    RunAck,
)
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.storage.records import Session


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
    key = runnable_key(call, params.session_key, params.agent_id)
    is_verbatim = bool(params.suppress_command_interpretation)
    if is_stop_word(text) and not is_verbatim:
        return await stop_runs(call, key, None, "stop")
    session = await call.services.sessions.get(key)
    if setting_of(session, "sendPolicy") == "deny":
        raise invalid("send blocked by session policy")
    await _check_leaf(call, params, session)
    if params.queue_mode == "interrupt":
        await interrupt(call, key)
    submission = Submission(
        run_id=RunId(params.idempotency_key),
        agent_id=key.agent_id,
        session_key=str(key),
        text=text,
        kind="chat",
        requester=call.caller.requester,
        images=images,
        thinking=params.thinking or setting_of(session, "thinkingLevel"),
        timeout=params.timeout_ms / 1000 if params.timeout_ms else None,
        deliver_to=_origin_address(params),
        is_verbatim=is_verbatim,
    )
    return acknowledge(params.idempotency_key, await start_run(call, submission, key, params.session_key))


@operation("chat.abort", scope=Scope.WRITE, rest=Post("/api/chat/abort"))
async def abort(call: Call, params: ChatAbortParams) -> AbortResult:
    """Stop the runs of a session, or one of them; only admins stop what others started."""
    return await stop_runs(call, read_key(call, params.session_key, params.agent_id), params.run_id, "rpc")


@operation("chat.inject", scope=Scope.ADMIN)
async def inject(call: Call, params: ChatInjectParams) -> JsonObject:
    """Add an assistant message to a transcript without a run."""
    key = read_key(call, params.session_key, params.agent_id)
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


async def _check_leaf(call: Call, params: ChatSendParams, session: Session | None) -> None:
    """Refuse a message that its writer meant for another state of the session than it has by now."""
    has_expectation = "expected_leaf_entry_id" in params.model_fields_set
    if has_expectation and not await _is_on_path(call, params, session):
        raise invalid("active branch changed; review and retry", {"reason": "active-leaf-changed"})


async def _is_on_path(call: Call, params: ChatSendParams, session: Session | None) -> bool:
    """Tell whether the entry a writer saw last is the last one, or, in the transcript they name, an earlier one."""
    expected, current = params.expected_leaf_entry_id, session.session_id if session is not None else None
    if params.session_id is not None and params.session_id != current:
        return False
    last = await call.services.sessions.entries(current, 1) if current is not None else []
    if expected == (last[0].id if last else None):
        return True
    if params.session_id is None or current is None:
        return False
    return expected is None or await call.services.sessions.entry(current, expected) is not None
