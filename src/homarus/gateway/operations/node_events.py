"""What nodes report by themselves (reference nodes §8): a valid frame is always accepted, junk inside it ignored."""

from __future__ import annotations

import json
import logging
from typing import Final, cast

from homarus.errors import HomarusError
from homarus.gateway.hub import Shapes
from homarus.gateway.node_reports import REPORTS, tell_report
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.message_input import clean_message, read_images
from homarus.gateway.operations.nodes import node_of
from homarus.gateway.operations.registry import operation
from homarus.gateway.operations.run_start import start_run
from homarus.gateway.operations.target import default_agent, main_key, read_key, runnable_key
from homarus.ids import Address, RunId
from homarus.labels import Confidentiality, Integrity, Label
from homarus.nodes.registry import NodeSession
from homarus.pipeline.contract import Requester, Submission
from homarus.protocol.events import NODE_HOST_STATS
from homarus.protocol.frames import JsonObject
from homarus.protocol.nodes import NodeEventParams
from homarus.protocol.scopes import Role

log = logging.getLogger("homarus.gateway.nodes")

MAX_TEXT: Final = 20_000
"""Characters of a message from a node."""
MAX_KEY: Final = 600
MAX_TIMEOUT: Final = 24 * 60 * 60
"""Characters of a session key, and seconds a run may be given."""
_RUN_EVENTS: Final = ("voice.transcript", "agent.request")
_HOST_STATS: Final = "node.host.stats"
_SUBSCRIPTIONS: Final = ("chat.subscribe", "chat.unsubscribe")
_VOICE_IDS: Final = ("eventId", "providerEventId", "transcriptId")
_CALL_IDS: Final = ("callId", "providerCallId")


@operation("node.event", scope=None, role=Role.NODE)
async def take_event(call: Call, params: NodeEventParams) -> JsonObject:
    """Take an event of a node; unknown ones are accepted and ignored."""
    session = call.core.nodes.registry.of_connection(call.caller.conn_id)
    payload = _payload(params)
    if session is None or payload is None:
        return {"ok": True}
    if params.event in _RUN_EVENTS:
        await _start(call, session, params.event, payload)
    elif params.event == _HOST_STATS:
        session.published["hostStats"] = payload
        stats: JsonObject = {"nodeId": session.node_id, "hostStats": payload}
        call.core.hub.broadcast(NODE_HOST_STATS, Shapes(None, stats))
    elif params.event in _SUBSCRIPTIONS:
        _subscribe(call, session, params.event, payload)
    elif params.event in REPORTS:
        await _report(call, session, params.event, payload)
    else:
        log.info("node %s reports %s", session.node_id, params.event)
    return {"ok": True}


async def _start(call: Call, session: NodeSession, event: str, payload: JsonObject) -> None:
    """Start a run for a node; it counts as its user's, never as the owner's."""
    text = payload.get("text" if event == "voice.transcript" else "message")
    if not isinstance(text, str) or not text.strip() or len(text) > MAX_TEXT:
        return
    key_text = _session_key(call, session, event, payload)
    now = call.services.clock.monotonic()
    if event == "voice.transcript" and session.has_heard(key_text, _fingerprint(payload, text), now):
        return
    if not session.may_run(now):
        log.warning("node %s starts runs too fast; %s ignored", session.node_id, event)
        return
    try:
        submission = _submission(call, event, key_text, clean_message(text), payload)
        await start_run(call, submission, runnable_key(call, key_text), key_text)
    except HomarusError as error:
        log.warning("%s of node %s was not run: %s", event, session.node_id, error.message)


def _submission(call: Call, event: str, key_text: str, text: str, payload: JsonObject) -> Submission:
    key = runnable_key(call, key_text)
    node_id = node_of(call)
    is_voice = event == "voice.transcript"
    attachments = payload.get("attachments")
    images = read_images(cast("list[object]", attachments), event) if isinstance(attachments, list) else ()
    thinking, seconds = payload.get("thinking"), payload.get("timeoutSeconds")
    prefix = "voice" if is_voice else "node"
    return Submission(
        run_id=RunId(f"{prefix}-{call.services.clock.uuid()}"),
        agent_id=key.agent_id,
        session_key=str(key),
        text=text,
        kind="chat" if is_voice else "agent",
        requester=Requester(device_id=node_id, conn_id=call.caller.conn_id),
        images=() if is_voice else images,
        thinking="low" if is_voice else thinking if isinstance(thinking, str) else None,
        timeout=min(float(seconds), MAX_TIMEOUT) if isinstance(seconds, (int, float)) and seconds > 0 else None,
        deliver_to=None if is_voice else _route(call, payload),
        label=Label(Integrity.USER, Confidentiality.PRIVATE, (f"node:{node_id[:16]}",)),
    )


def _route(call: Call, payload: JsonObject) -> Address | None:
    """Return where a reply goes besides its session: only to a channel that runs here."""
    channel, to = payload.get("channel"), payload.get("to")
    if payload.get("deliver") is not True or not isinstance(channel, str) or not isinstance(to, str) or not to:
        return None
    account = next((each for each in call.services.channels.accounts() if each.channel == channel), None)
    return None if account is None else Address(channel, account.account, to[:MAX_KEY])


async def _report(call: Call, session: NodeSession, event: str, payload: JsonObject) -> None:
    """Tell the agent; junk is passed over, as everything in events is."""
    try:
        key = read_key(call, _session_key(call, session, event, payload))
        await tell_report(call.core, session, event, payload, key)
    except HomarusError as error:
        log.warning("%s of node %s was not told: %s", event, session.node_id, error.message)


def _subscribe(call: Call, session: NodeSession, event: str, payload: JsonObject) -> None:
    given = payload.get("sessionKey")
    if not isinstance(given, str) or not given.strip() or len(given) > MAX_KEY:
        return
    try:
        key = str(read_key(call, given))
    except HomarusError:
        return
    if event == "chat.unsubscribe":
        session.subscriptions.discard(key)
        call.core.hub.unfollow(session.conn_id, key)
    elif session.subscribe(key):
        call.core.hub.follow(session.conn_id, key)


def _session_key(call: Call, session: NodeSession, event: str, payload: JsonObject) -> str:
    given = payload.get("sessionKey")
    if isinstance(given, str) and given.strip():
        return given.strip()[:MAX_KEY]
    return str(main_key(default_agent(call))) if event == "voice.transcript" else f"node-{session.node_id}"


def _fingerprint(payload: JsonObject, text: str) -> str:
    """Return what tells one transcript from another (reference nodes §8)."""
    by_id = _first(payload, *_VOICE_IDS)
    if by_id is not None:
        return f"id:{by_id}"
    at, sequence = _first(payload, "timestamp", "ts"), _first(payload, "sequence", "seq")
    by_call = _first(payload, *_CALL_IDS)
    if by_call is not None and (sequence is not None or at is not None):
        return f"call:{by_call}:{at if sequence is None else sequence}"
    return f"text:{at}:{text}" if at is not None else f"text:{text}"


def _first(payload: JsonObject, *names: str) -> str | None:
    found = (payload.get(name) for name in names)
    return next((str(value)[:MAX_KEY] for value in found if isinstance(value, (str, int)) and value != ""), None)


def _payload(params: NodeEventParams) -> JsonObject | None:
    value = params.payload
    if params.payload_json:
        try:
            value = cast("object", json.loads(params.payload_json))
        except (ValueError, RecursionError):
            return None
    return cast("JsonObject", value) if isinstance(value, dict) else None
