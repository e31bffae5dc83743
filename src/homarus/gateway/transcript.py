"""Transcript entries as messages for clients, cleaned and bounded (reference 02, chat.history sanitising)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Final, cast
from urllib.parse import quote

from homarus.automation.heartbeat.reply import OK, RUN_PREFIX
from homarus.protocol.frames import JsonObject, encode
from homarus.protocol.versions import V3, V4
from homarus.storage.records import Entry

SILENT_REPLY: Final = "NO_REPLY"
"""A reply that says there is nothing to say; people never see it."""
MAX_MESSAGE: Final = 128 * 1024
"""Bytes of one message; larger ones are replaced."""
MAX_HISTORY: Final = 6 * 1024 * 1024
"""Bytes of one history; the oldest messages are left out beyond it."""
INJECTED_MODEL: Final = "gateway-injected"
_API: Final = "openai-completions"
_OWN_ORIGIN: Final = "channel:webchat"
_DIRECTIVE = re.compile(r"\[\[\s*(?:reply_to(?:_current|:[^\]]*)?|audio_as_voice)\s*\]\]")
_STOP_REASONS: Final = {"tool_calls": "toolUse", "content_filter": "error"}
_COUNTS: Final = ("input", "output", "cacheRead", "cacheWrite")
_CUT = "\n...(truncated)..."


def is_silent(text: str, run_id: str = "") -> bool:
    """Tell whether a reply says that nothing is to be said; a heartbeat says so in a word of its own."""
    return text.strip().upper() in _silent_words(run_id)


def may_become_silent(text: str, run_id: str = "") -> bool:
    """Tell whether streamed text is still the beginning of a silent reply."""
    return any(word.startswith(text.strip().upper()) for word in _silent_words(run_id))


def _silent_words(run_id: str) -> tuple[str, ...]:
    return (SILENT_REPLY, OK) if run_id.startswith(RUN_PREFIX) else (SILENT_REPLY,)


def visible_text(text: str) -> str:
    """Return a text without the directives meant for the delivery."""
    return _DIRECTIVE.sub("", text).strip() if "[[" in text else text


def messages_of(entries: Iterable[Entry], protocol: int = V3) -> list[JsonObject]:
    """Return entries as messages of a version of the protocol, in order."""
    return [message_of(entry, protocol) for entry in entries]


def message_of(entry: Entry, protocol: int = V3) -> JsonObject:
    """Return one entry as a message; `__openclaw` carries its id and position."""
    build = {"user": _user, "assistant": _assistant, "tool_result": _tool_result, "note": _note}[entry.type]
    message = build(entry)
    mark = cast("JsonObject", message.setdefault("__openclaw", {}))
    mark |= {"id": entry.id, "seq": entry.seq}
    return message if protocol < V4 else _widened(message, mark, entry)


def _widened(message: JsonObject, mark: JsonObject, entry: Entry) -> JsonObject:
    """Return a message as version 4 has it: more about where it is, and plain texts of users as a string."""
    mark["recordTimestampMs"] = entry.created_at
    mark["transcriptPosition"] = {"source": entry.session_id, "rawSeq": entry.seq}
    if entry.run_id:
        mark["runId"] = entry.run_id
    if entry.type == "user":
        # The page finds its own turn by this key, so a message that came by another way has one as well.
        mark["idempotencyKey"] = message.setdefault("idempotencyKey", f"{entry.run_id or entry.id}:user")
        content = _dicts(message["content"])
        message["content"] = content[0].get("text", "") if len(content) == 1 else content
    return message


def history_of(
    entries: Sequence[Entry], max_chars: int, protocol: int = V3, max_bytes: int = MAX_HISTORY
) -> list[JsonObject]:
    """Return messages as chat.history shows them: without silent replies, cut and bounded."""
    max_bytes = min(max_bytes, MAX_HISTORY)
    visible = (entry for entry in entries if not _is_silent_entry(entry))
    shown = [bounded(message_of(entry, protocol), max_chars, max_bytes) for entry in visible]
    size, kept = 2, list[JsonObject]()
    for message in reversed(shown):
        size += len(encode(message).encode("utf-8", "backslashreplace")) + 1
        if size > max_bytes and kept:
            break
        kept.append(message)
    kept.reverse()
    return kept


def is_owners(entry: Entry) -> bool:
    """Tell whether the gateway's owner wrote a message, on a client of the gateway."""
    return _OWN_ORIGIN in entry.label.origins


def preview_of(entry: Entry, max_chars: int) -> JsonObject | None:
    """Return an entry as a line of a preview, None when it has no text."""
    text = visible_text(str(entry.payload.get("text") or "")).strip()
    if not text or _is_silent_entry(entry):
        return None
    role = {"user": "user", "assistant": "assistant", "tool_result": "tool", "note": "system"}[entry.type]
    return {"role": role, "text": text if len(text) <= max_chars else f"{text[: max_chars - 1]}…"}


def usage_json(usage: object) -> JsonObject:
    """Return the tokens of a response as clients count them."""
    given = cast("JsonObject", usage) if isinstance(usage, dict) else {}
    counts = {name: _number(given.get(name)) for name in _COUNTS}
    cost = dict.fromkeys((*_COUNTS, "total"), 0)
    return {**counts, "totalTokens": counts["input"] + counts["output"], "cost": cost}


def _user(entry: Entry) -> JsonObject:
    payload = entry.payload
    content: list[JsonObject] = [{"type": "text", "text": str(payload.get("text") or "")}]
    content.extend(_image(image) for image in _dicts(payload.get("images")))
    message: JsonObject = {"role": "user", "content": content, "timestamp": entry.created_at}
    if payload.get("key"):
        message["idempotencyKey"] = f"{payload['key']}:user"
    sender = payload.get("sender")
    if isinstance(sender, dict):
        facts = cast("JsonObject", sender)
        # Who writes here is the owner; the id is then the key of their device, which tells people nothing.
        label = str(facts.get("name") or ("" if is_owners(entry) else facts.get("id")) or "")
        if label:
            message["senderLabel"] = label
    return message


def _assistant(entry: Entry) -> JsonObject:
    payload = entry.payload
    content: list[JsonObject] = []
    if payload.get("thinking"):
        content.append({"type": "thinking", "thinking": str(payload["thinking"])})
    text = visible_text(str(payload.get("text") or ""))
    if text:
        content.append({"type": "text", "text": text})
    content.extend(_tool_call(call) for call in _dicts(payload.get("tool_calls")))
    content.extend(_file(each) for each in _dicts(payload.get("files")))
    stop = str(payload.get("stop_reason") or "stop")
    message: JsonObject = {
        "role": "assistant",
        "content": content,
        "api": _API,
        "provider": str(payload.get("provider") or "homarus"),
        "model": str(payload.get("model") or INJECTED_MODEL),
        "usage": usage_json(payload.get("usage")),
        "stopReason": _STOP_REASONS.get(stop, stop),
        "timestamp": entry.created_at,
    }
    if payload.get("response_id"):
        message["responseId"] = str(payload["response_id"])
    if payload.get("error"):
        message |= {"stopReason": "error", "errorMessage": str(payload["error"])}
    if payload.get("aborted"):
        message["openclawAbort"] = {"aborted": True, "origin": "rpc", "runId": entry.run_id or ""}
        message["idempotencyKey"] = f"{entry.run_id}:assistant"
    return message


def _tool_result(entry: Entry) -> JsonObject:
    payload = entry.payload
    content: list[JsonObject] = [{"type": "text", "text": str(payload.get("text") or "")}]
    content.extend(_image(image) for image in _dicts(payload.get("images")))
    return {
        "role": "toolResult",
        "toolCallId": str(payload.get("call_id") or ""),
        "toolName": str(payload.get("name") or ""),
        "content": content,
        "isError": bool(payload.get("is_error")),
        "timestamp": entry.created_at,
    }


def _file(given: JsonObject) -> JsonObject:
    """Return a file that went with a reply, with the address the gateway serves it at."""
    name = str(given.get("name") or "file")
    return {
        "type": "file",
        "url": f"/media/{given.get('id')}/{quote(name, safe='')}",
        "name": name,
        "mimeType": str(given.get("mime") or ""),
        "size": given.get("size") or 0,
    }


def _note(entry: Entry) -> JsonObject:
    text = str(entry.payload.get("text") or "")
    mark: JsonObject = {"kind": str(entry.payload.get("kind") or "note")}
    content = [{"type": "text", "text": text}]
    return {"role": "system", "content": content, "timestamp": entry.created_at, "__openclaw": mark}


def _tool_call(call: JsonObject) -> JsonObject:
    arguments = call.get("arguments")
    if isinstance(arguments, str):
        try:
            arguments = cast("object", json.loads(arguments or "{}"))
        except ValueError:
            arguments = {"_raw": arguments}
    if not isinstance(arguments, dict):
        arguments = {}
    named = {"id": str(call.get("id") or ""), "name": str(call.get("name") or "")}
    return {"type": "toolCall", **named, "arguments": cast("JsonObject", arguments)}


def _image(image: JsonObject) -> JsonObject:
    data = str(image.get("data") or "")
    size = len(data) * 3 // 4
    return {"type": "image", "mimeType": str(image.get("mime") or ""), "omitted": True, "bytes": size}


def bounded(message: JsonObject, max_chars: int, max_bytes: int = MAX_MESSAGE) -> JsonObject:
    """Return a message with its texts cut, without its content when it is too large even so."""
    whole = message.get("content")
    if isinstance(whole, str) and len(whole) > max_chars:
        message["content"] = whole[:max_chars] + _CUT
    for block in _dicts(message.get("content")):
        for name in ("text", "thinking"):
            text = block.get(name)
            if isinstance(text, str) and len(text) > max_chars:
                block[name] = text[:max_chars] + _CUT
    if len(encode(message)) <= min(MAX_MESSAGE, max_bytes):
        return message
    mark = {**cast("JsonObject", message["__openclaw"]), "truncated": True, "reason": "oversized"}
    note = [{"type": "text", "text": "[chat.history omitted: message too large]"}]
    return {"role": message["role"], "content": note, "timestamp": message["timestamp"], "__openclaw": mark}


def _is_silent_entry(entry: Entry) -> bool:
    payload = entry.payload
    return entry.type == "assistant" and not payload.get("tool_calls") and is_silent(str(payload.get("text") or ""))


def _dicts(value: object) -> list[JsonObject]:
    if not isinstance(value, list):
        return []
    return [cast("JsonObject", item) for item in cast("list[object]", value) if isinstance(item, dict)]


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
