from __future__ import annotations

import asyncio
import json

import pytest
from tests.gateway.frames_of import frames_of

from homarus.gateway.caller import Caller
from homarus.gateway.hub import EventHub
from homarus.gateway.outbox import ClientOutbox, SlowConsumer
from homarus.gateway.peer import Peer
from homarus.protocol.scopes import Role

PEER = Peer("127.0.0.1", is_local=True)


class Target:
    def __init__(self, conn_id: str, *scopes: str, role: Role = Role.OPERATOR, limit: int = 10_000) -> None:
        self.caller = Caller(conn_id, PEER, role, frozenset(scopes))
        self.outbox = ClientOutbox(limit)

    def disconnect(self, code: int, reason: str) -> None:
        raise AssertionError("not asked to")


async def test_frames_leave_in_order_and_close_flushes() -> None:
    outbox, sent = ClientOutbox(), list[bytes]()

    async def send(frames: list[bytes]) -> None:
        sent.extend(frames)

    outbox.put(b"a")
    outbox.put(b"b")
    outbox.close()
    outbox.put(b"late")
    await outbox.drain(send)
    assert sent == [b"a", b"b"]
    assert outbox.buffered == 0


async def test_client_that_does_not_read_is_given_up_when_its_buffer_is_full() -> None:
    outbox, stuck = ClientOutbox(limit=100), asyncio.Event()

    async def send(_frames: list[bytes]) -> None:
        await stuck.wait()

    draining = asyncio.create_task(outbox.drain(send))
    for _ in range(4):
        outbox.put(b"x" * 60)
        await asyncio.sleep(0)
    assert outbox.is_full
    stuck.set()
    with pytest.raises(SlowConsumer):
        await draining


def test_droppable_events_are_dropped_for_a_slow_client_and_leave_no_gap() -> None:
    hub, slow = EventHub(), Target("slow", limit=200)
    hub.add(slow)
    for number in range(10):
        hub.broadcast("tick", {"ts": number, "padding": "x" * 50})
    frames = frames_of(slow.outbox)
    assert len(frames) < 10
    hub.broadcast("tick", {"ts": 99})
    frames += frames_of(slow.outbox)
    assert [frame["seq"] for frame in frames] == list(range(1, len(frames) + 1))


def test_seq_counts_per_connection_without_gaps_whatever_others_may_see() -> None:
    hub = EventHub()
    admin, reader, node = Target("a", "operator.admin"), Target("r", "operator.read"), Target("n", role=Role.NODE)
    for target in (admin, reader, node):
        hub.add(target)
    hub.broadcast("device.pair.requested", {})
    hub.broadcast("tick", {})
    hub.send_to(["r", "gone"], "sessions.changed", {})
    hub.broadcast("exec.approval.requested", {})
    hub.broadcast("chat", {}, session="main")
    hub.follow("n", "main")
    hub.broadcast("chat", {}, session="main")
    seen = {
        target.caller.conn_id: [(frame["event"], frame["seq"]) for frame in frames_of(target.outbox)]
        for target in (admin, reader, node)
    }
    assert seen == {
        "a": [("device.pair.requested", 1), ("tick", 2), ("exec.approval.requested", 3), ("chat", 4), ("chat", 5)],
        "r": [("tick", 1), ("sessions.changed", 2), ("chat", 3), ("chat", 4)],
        "n": [("tick", 1), ("chat", 2)],
    }


def test_nodes_never_get_guarded_events_even_when_they_claim_scopes() -> None:
    hub, node = EventHub(), Target("n", "operator.admin", role=Role.NODE)
    hub.add(node)
    hub.broadcast("device.pair.requested", {})
    hub.send_to(["n"], "session.message", {})
    assert frames_of(node.outbox) == []


def test_removed_connections_hear_nothing_and_leave_no_subscriptions() -> None:
    hub, target = EventHub(), Target("a", "operator.admin")
    hub.add(target)
    hub.watch_sessions("a")
    hub.watch_messages("a", "agent:main:main")
    hub.remove("a")
    hub.broadcast("tick", {})
    assert frames_of(target.outbox) == []
    assert not hub.has_session_watchers


def test_encoded_event_is_valid_with_its_number_spliced_in() -> None:
    outbox = ClientOutbox()
    outbox.put_numbered(b'{"type":"event","event":"e","payload":{"text":"}\xc3\xa9"}')
    assert json.loads(outbox._frames[0]) == {"type": "event", "event": "e", "payload": {"text": "}é"}, "seq": 1}
