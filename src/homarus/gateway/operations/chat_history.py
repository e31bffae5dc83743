"""Methods that show what was said in a session."""

from __future__ import annotations

from typing import Final, cast

from homarus.errors import UserError
from homarus.gateway.operations.agents import agents_json
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.chat_metadata import metadata_json
from homarus.gateway.operations.registry import Get, operation
from homarus.gateway.operations.target import read_key
from homarus.gateway.session_rows import ModelDefaults, model_defaults, running, session_row
from homarus.gateway.transcript import MAX_HISTORY, bounded, history_of, message_of
from homarus.protocol.chat import (
    ChatDelta,
    ChatHistory,
    ChatHistoryParams,
    ChatMessageParams,
    ChatStartupParams,
)
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.sessions.keys import SessionKey
from homarus.storage.entry_pages import EntryPage
from homarus.storage.inbound import select_waiting
from homarus.storage.records import InboundMessage, Session, SessionFilter

DEFAULT_HISTORY: Final = 200
MAX_DELTA: Final = 500
"""Entries a cursor may be behind; with more, reading the page again costs less."""
MAX_PENDING: Final = 20
MAX_CHARS: Final = 500_000


@operation("chat.history", scope=Scope.READ, rest=Get("/api/chat/history"))
async def history(call: Call, params: ChatHistoryParams) -> ChatHistory | ChatDelta:
    """Return the last messages of a session, cleaned for people; an unknown session has none.

    With the cursor of an earlier answer, return what came since.
    """
    key = read_key(call, params.session_key, params.agent_id)
    session = await call.services.sessions.get(key)
    if params.cursor is not None:
        return await _delta(call, key, session, params.cursor)
    return await _page(call, key, session, params)


@operation("chat.startup", scope=Scope.READ)
async def startup(call: Call, params: ChatStartupParams) -> ChatHistory:
    """Return everything a chat page shows first: the last messages, the agents, the models and the orders."""
    given = params.model_dump(exclude_unset=True, exclude={"short_id", "slug_hint", "agent_id", "cursor"})
    if params.session_key is None:
        given["session_key"] = await _key_of_short_id(call, params)
    elif params.agent_id is not None:
        given["agent_id"] = params.agent_id
    wanted = ChatHistoryParams.model_validate(given, by_name=True)
    key = read_key(call, wanted.session_key, wanted.agent_id)
    answer = await _page(call, key, await call.services.sessions.get(key), wanted)
    return {**answer, "agentsList": agents_json(call), "metadata": metadata_json(call)}


@operation("chat.message.get", scope=Scope.READ)
async def get_message(call: Call, params: ChatMessageParams) -> JsonObject:
    """Return one message in full, which a history shows cut."""
    key = read_key(call, params.session_key, params.agent_id)
    session = await call.services.sessions.get(key)
    entry = await call.services.sessions.entry(session.session_id, params.message_id) if session is not None else None
    if entry is None:
        raise invalid(f"message not found: {params.message_id[:100]}")
    return bounded(message_of(entry, call.caller.protocol), params.max_chars or MAX_CHARS, MAX_HISTORY)


def setting_of(session: Session | None, name: str) -> str | None:
    """Return a setting of a session that is a text, None when it has none."""
    value = session.meta.get(name) if session is not None else None
    return value if isinstance(value, str) and value else None


async def _page(call: Call, key: SessionKey, session: Session | None, params: ChatHistoryParams) -> ChatHistory:
    defaults, is_v4 = model_defaults(call.services), call.caller.is_v4
    answer: ChatHistory = {"sessionKey": params.session_key, "messages": []}
    if session is not None or not is_v4:
        answer["thinkingLevel"] = setting_of(session, "thinkingLevel") or defaults.thinking
    if session is not None:
        await _add_messages(call, answer, session, params)
        is_fast, verbose = session.meta.get("fastMode"), setting_of(session, "verboseLevel")
        if isinstance(is_fast, bool):
            answer["fastMode"] = is_fast
        if verbose is not None:
            answer["verboseLevel"] = verbose
    if is_v4:
        await _add_state(call, answer, key, session, defaults)
    return answer


async def _add_messages(call: Call, answer: ChatHistory, session: Session, params: ChatHistoryParams) -> None:
    is_foreign = params.session_id is not None and params.session_id != session.session_id
    anchor = params.message_id if not is_foreign else None
    limit = params.limit or DEFAULT_HISTORY
    page = await call.services.sessions.page_of(session.session_id, limit, params.offset or 0, anchor)
    max_chars = params.max_chars or call.core.settings.history_chars
    messages = history_of(page.entries, max_chars, call.caller.protocol, params.max_bytes or MAX_HISTORY)
    answer["sessionId"] = session.session_id
    answer["messages"] = messages
    if not call.caller.is_v4:
        return
    follow = _next_offset(page, messages)
    answer["hasMore"] = follow is not None
    answer["totalMessages"] = page.total
    if follow is not None:
        answer["nextOffset"] = follow
    if page.offset == 0:
        answer["deltaCursor"] = f"{session.session_id}:{page.entries[-1].seq if page.entries else 0}"


def _next_offset(page: EntryPage, messages: list[JsonObject]) -> int | None:
    """Return where older messages begin, those a limit of bytes left out included."""
    if not messages:
        return page.next_offset
    first = _mark_of(messages[0])["id"]
    left_out = next((index for index, entry in enumerate(page.entries) if entry.id == first), 0)
    if left_out == 0:
        return page.next_offset
    return page.offset + len(page.entries) - left_out


async def _add_state(
    call: Call, answer: ChatHistory, key: SessionKey, session: Session | None, defaults: ModelDefaults
) -> None:
    answer.setdefault("hasMore", False)
    answer.setdefault("totalMessages", 0)
    answer["defaults"] = defaults.json()
    answer["pendingInputs"] = await _pending(call, key)
    if session is not None:
        answer["sessionInfo"] = session_row(session, defaults, has_title=True, runs=running(call.services))
    going = call.core.feed.in_flight(str(key))
    if going is not None:
        answer["inFlightRun"] = going


async def _delta(call: Call, key: SessionKey, session: Session | None, cursor: str) -> ChatDelta:
    session_id, _, text = cursor.rpartition(":")
    if session is None or session.session_id != session_id or not text.isdecimal() or len(text) > 18:
        return {"kind": "reset"}
    entries = await call.services.sessions.since(session_id, int(text), MAX_DELTA + 1)
    if len(entries) > MAX_DELTA:
        return {"kind": "reset"}
    seq = entries[-1].seq if entries else int(text)
    shown = history_of(entries, call.core.settings.history_chars, call.caller.protocol)
    row = session_row(session, model_defaults(call.services), has_title=True, runs=running(call.services))
    answer: ChatDelta = {
        "kind": "delta",
        "messages": [_told(key, message) for message in shown],
        "deltaCursor": f"{session_id}:{seq}",
        "sessionInfo": row,
        "pendingInputs": await _pending(call, key),
    }
    going = call.core.feed.in_flight(str(key))
    if going is not None:
        answer["inFlightRun"] = going
    return answer


def _told(key: SessionKey, message: JsonObject) -> JsonObject:
    """Return a message as the event `session.message` carries it."""
    mark = _mark_of(message)
    place = {"messageId": mark["id"], "messageSeq": mark["seq"]}
    return {"sessionKey": str(key), "agentId": key.agent_id, "message": message, **place}


def _mark_of(message: JsonObject) -> JsonObject:
    return cast("JsonObject", message["__openclaw"])


async def _pending(call: Call, key: SessionKey) -> JsonObject:
    """Return the messages of surfaces that no run took up yet."""
    waiting = await call.services.database.read(select_waiting, str(key), MAX_PENDING + 1)
    found = [message for message in waiting if message.run_id is not None]
    return {"items": [_pending_item(message) for message in found[:MAX_PENDING]], "total": len(found)}


def _pending_item(message: InboundMessage) -> JsonObject:
    told = {"role": "user", "content": message.text, "timestamp": message.received_at}
    told["idempotencyKey"] = f"{message.run_id}:user"
    return {
        "id": message.id,
        "runId": message.run_id,
        "message": told,
        "acceptedAt": message.received_at,
        "state": "queued",
    }


async def _key_of_short_id(call: Call, params: ChatStartupParams) -> str:
    """Return the key of the session whose id begins so. Raises ProtocolError when there is no such session."""
    short = (params.short_id or "").strip().lower()
    if not short:
        raise invalid("invalid chat.startup params: must have required property 'sessionKey'")
    try:
        found = await call.services.sessions.list(SessionFilter(agent_id=params.agent_id, search=short))
    except UserError as error:
        raise invalid(error.message) from error
    match = next((each for each in found if each.session_id.startswith(short)), None)
    if match is None:
        raise invalid(f"No session found: {short[:100]}")
    return match.key
