"""Runs as clients of version 4 hear them, beside clients of version 3."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from msgspec import Struct, field
from tests.gateway.fake_clock import FakeClock
from tests.gateway.frames_of import frames_of

from homarus.agent.events import (
    AgentEvent,
    TextStreamed,
    ToolFinished,
    ToolStarted,
    TurnAborted,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from homarus.gateway.caller import Caller
from homarus.gateway.hub import EventHub
from homarus.gateway.outbox import BEHIND, ClientOutbox
from homarus.gateway.peer import Peer
from homarus.gateway.run_feed import RunFeed
from homarus.gateway.run_teller_v4 import TEXT_INTERVAL_MS, join_chat
from homarus.ids import AgentId, RunId
from homarus.models.contract import Failed, FailureKind, Usage
from homarus.pipeline.contract import Requester, RunEvent, RunInfo

KEY = "agent:main:raw"
RUN = RunInfo(RunId("r1"), AgentId("main"), KEY, "s1", "chat", Requester())
PEER = Peer("127.0.0.1", is_local=True)


class Listener(Struct):
    caller: Caller
    outbox: ClientOutbox = field(default_factory=ClientOutbox)

    def disconnect(self, code: int, reason: str) -> None:
        raise AssertionError("not asked to")

    def seen(self) -> list[dict[str, Any]]:
        return frames_of(self.outbox)


class Stage:
    """A feed with listeners; time is given with every event."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.hub = EventHub()
        self.feed = RunFeed(self.hub, self.clock, lambda _run: {"session": {"key": KEY}})
        self.new = self.listen("new")
        self.old = self.listen("old", protocol=3)
        self.seq = 0

    def listen(
        self,
        conn_id: str,
        scope: str = "operator.read",
        protocol: int = 4,
        caps: frozenset[str] = frozenset(),
    ) -> Listener:
        caller = Caller(conn_id, PEER, scopes=frozenset({scope}), protocol=protocol, caps=caps)
        listener = Listener(caller)
        self.hub.add(listener)
        return listener

    def tell(self, event: AgentEvent, at: int = 1000) -> None:
        self.seq += 1
        self.feed.listen(RunEvent(RUN, self.seq, at, event))


@pytest.fixture
def stage() -> Stage:
    return Stage()


def chats(frames: list[dict[str, Any]], state: str) -> list[dict[str, Any]]:
    return [each["payload"] for each in frames if each["event"] == "chat" and each["payload"]["state"] == state]


def text_of(deltas: list[dict[str, Any]]) -> str:
    """Put the pieces together as clients do."""
    text = ""
    for delta in deltas:
        text = delta["deltaText"] if delta.get("replace") else text + delta["deltaText"]
        assert delta["message"]["content"][0]["text"] == text
    return text


def test_text_comes_in_pieces_that_add_up_to_the_message(stage: Stage) -> None:
    stage.tell(TurnStarted(990))
    for end in range(1, 41):
        stage.tell(TextStreamed("x" * end, "x"), 1000 + end * 10)
    stage.tell(TurnFinished("x" * 40 + "!", "stop", Usage(), 1500))
    frames = stage.new.seen()
    deltas = chats(frames, "delta")
    assert text_of(deltas) == "x" * 40 + "!"
    assert 5 <= len(deltas) <= 7
    times = [delta["message"]["timestamp"] for delta in deltas[:-1]]
    assert all(later - earlier >= TEXT_INTERVAL_MS for earlier, later in pairwise(times))
    added = [f["payload"]["data"] for f in frames if f["event"] == "agent" and f["payload"]["stream"] == "assistant"]
    assert "".join(data["delta"] for data in added) == "x" * 40 + "!"
    assert {data["itemId"] for data in added} == {"r1:1"}


def test_run_is_told_with_whose_it_is_and_how_it_ended(stage: Stage) -> None:
    stage.tell(TurnStarted(990))
    stage.tell(TextStreamed("hi", "hi"), 1100)
    stage.tell(TurnFinished("hi", "stop", Usage(), 1200), 1200)
    frames = stage.new.seen()
    assert [frame["seq"] for frame in frames] == list(range(1, len(frames) + 1))
    assert all(frame["payload"]["agentId"] == "main" for frame in frames)
    shown = [f["payload"].get("stream") or f["payload"]["state"] for f in frames]
    progress = ["status", "run_status"]
    assert shown == [*progress * 2, "lifecycle", *progress, "assistant", "delta", "lifecycle", "final"]
    end = frames[-2]["payload"]
    assert end["data"] == {
        "phase": "end", "endedAt": 1200, "stopReason": "stop", "aborted": False,
        "terminalReply": {"disposition": "visible", "text": "hi"},
    }  # fmt: skip
    assert (end["sessionId"], end["isHeartbeat"]) == ("s1", False)
    assert frames[-1]["payload"]["stopReason"] == "stop"
    phases = [frame["phase"] for frame in chats(frames, "status")]
    assert phases == ["preparing_workspace", "preparing_context", "starting_model"]


def test_version_3_hears_what_it_heard_before(stage: Stage) -> None:
    stage.tell(TurnStarted(990))
    stage.tell(TextStreamed("hi", "hi"), 1100)
    stage.tell(TurnFinished("hi", "stop", Usage(), 1200), 1200)
    frames = stage.old.seen()
    shown = [f["payload"].get("stream") or f["payload"]["state"] for f in frames]
    assert shown == ["lifecycle", "assistant", "delta", "lifecycle", "final"]
    keys = {key for frame in frames for key in frame["payload"]}
    assert not keys & {"agentId", "deltaText", "isHeartbeat", "stopReason", "phase"}


def test_correction_replaces_the_text(stage: Stage) -> None:
    stage.tell(TurnStarted(0))
    stage.tell(TextStreamed("helo", "helo"), 1100)
    stage.tell(TextStreamed("hello", "hello"), 1200)
    deltas = chats(stage.new.seen(), "delta")
    assert (deltas[1]["deltaText"], deltas[1]["replace"]) == ("hello", True)
    assert text_of(deltas) == "hello"


def test_run_that_begins_again_replaces_what_it_said(stage: Stage) -> None:
    stage.tell(TurnStarted(0))
    stage.tell(TextStreamed("first try", "first try"), 1100)
    stage.tell(TurnStarted(0), 1200)
    stage.tell(TextStreamed("second", "second"), 1300)
    stage.tell(TextStreamed("second one", " one"), 1400)
    deltas = chats(stage.new.seen(), "delta")
    assert [delta.get("replace", False) for delta in deltas] == [False, True, False]
    assert text_of(deltas) == "second one"


def test_text_before_a_tool_is_told_before_it_and_the_text_after_is_another_item(stage: Stage) -> None:
    stage.feed.add_tool_recipient("r1", "new")
    stage.tell(TurnStarted(0))
    stage.tell(TextStreamed("let me", "let me"), 1100)
    stage.tell(TextStreamed("let me look", " look"), 1110)
    stage.tell(ToolStarted("c1", "exec", {"command": "ls"}), 1120)
    done = ToolFinished("c1", "exec", "a b", is_error=False, duration_ms=5, details={"exitCode": 0, "cwd": "/w"})
    stage.tell(done, 1130)
    stage.tell(TextStreamed("let me look. there", ". there"), 1300)
    frames = stage.new.seen()
    streams = [f["payload"].get("stream") or "chat" for f in frames]
    assert streams.index("tool") > max(i for i, f in enumerate(frames[:8]) if f["event"] == "chat")
    assert text_of(chats(frames, "delta")) == "let me look. there"
    items = [f["payload"]["data"]["itemId"] for f in frames if f["payload"].get("stream") == "assistant"]
    assert items == ["r1:1", "r1:1", "r1:2"]
    results = [f["payload"]["data"] for f in frames if f["payload"].get("stream") == "tool"]
    assert results[-1]["commandBearing"] is True
    assert results[-1]["result"]["details"] == {
        "status": "completed", "durationMs": 5, "exitCode": 0, "cwd": "/w", "exitReason": "exit", "aggregated": "a b",
        "noOutputTimedOut": False,
    }  # fmt: skip


def test_pause_does_not_hold_text_back(stage: Stage) -> None:
    stage.tell(TurnStarted(0))
    stage.tell(TextStreamed("a", "a"), stage.clock.now_ms())
    stage.tell(TextStreamed("ab", "b"), stage.clock.now_ms() + 5)
    assert text_of(chats(stage.new.seen(), "delta")) == "a"
    stage.feed.flush()
    assert chats(stage.new.seen(), "delta") == []
    stage.clock.advance(1)
    stage.feed.flush()
    [delta] = chats(stage.new.seen(), "delta")
    assert delta["deltaText"] == "b"


def test_ends_other_than_well_are_told(stage: Stage) -> None:
    stage.tell(TurnStarted(0))
    stage.tell(TurnFailed("400 no", 1100), 1100)
    [error] = chats(stage.new.seen(), "error")
    assert error["errorMessage"] == "400 no"
    assert error["errorKind"] == "unknown"
    assert "errorDetail" not in error
    stage.tell(TurnStarted(0))
    stage.tell(TurnAborted("so far", "rpc", 1200), 1200)
    [aborted] = chats(stage.new.seen(), "aborted")
    assert aborted["stopReason"] == "rpc"


@pytest.mark.parametrize(
    ("kind", "shown", "reason"),
    [
        (FailureKind.RATE_LIMIT, "rate_limit", "rate_limit"),
        (FailureKind.TIMEOUT, "timeout", "timeout"),
        (FailureKind.CONTEXT_OVERFLOW, "context_length", "unknown"),
        (FailureKind.AUTH, "unknown", "auth"),
        (FailureKind.BAD_REQUEST, "unknown", "format"),
        (FailureKind.GARBAGE, "unknown", "unknown"),
    ],
)
def test_why_the_model_failed_is_told_from_version_4_on(
    stage: Stage, kind: FailureKind, shown: str, reason: str
) -> None:
    failure = Failed(kind, "it failed", status=429, code="slow_down", said="s" * 400, ref="acme/vendor/large")
    stage.tell(TurnStarted(0))
    stage.tell(TurnFailed("it failed", 1100, failure), 1100)
    [error] = chats(stage.new.seen(), "error")
    assert error["errorKind"] == shown
    assert error["errorDetail"] == {
        "provider": "acme", "model": "vendor/large", "failoverReason": reason, "providerRuntimeFailureKind": str(kind),
        "providerErrorType": "slow_down", "providerErrorMessagePreview": "s" * 300, "httpStatus": 429,
    }  # fmt: skip
    [old] = chats(stage.old.seen(), "error")
    assert old.keys() == {"runId", "sessionKey", "seq", "state", "errorMessage"}


def test_slow_client_gets_pieces_put_together_and_nothing_is_lost(stage: Stage) -> None:
    stage.tell(TurnStarted(0))
    stage.new.seen()
    stage.new.outbox.put(b"{" + b" " * BEHIND + b"}")
    for end in range(1, 21):
        stage.tell(TextStreamed("y" * end, "y"), 1000 + end * 100)
    waiting = stage.new.outbox.buffered
    assert waiting < BEHIND + 10
    stage.tell(TurnFinished("y" * 20, "stop", Usage(), 9000), 9000)
    frames = stage.new.seen()[1:]
    deltas = chats(frames, "delta")
    assert len(deltas) == 1
    assert text_of(deltas) == "y" * 20
    assert [f["seq"] for f in frames] == list(range(frames[0]["seq"], frames[0]["seq"] + len(frames)))
    assert frames[-1]["payload"]["state"] == "final"
    assert len(chats(stage.old.seen(), "delta")) > 5


def test_pieces_join_as_if_they_had_come_one_by_one() -> None:
    one: dict[str, Any] = {"deltaText": "ab", "message": "ab"}
    two: dict[str, Any] = {"deltaText": "cd", "message": "abcd"}
    new: dict[str, Any] = {"deltaText": "x", "message": "x", "replace": True}
    assert join_chat(one, two) == {"deltaText": "abcd", "message": "abcd"}
    assert join_chat(one, new) == new
    assert join_chat(new, {"deltaText": "y", "message": "xy"}) == {
        "deltaText": "xy", "message": "xy", "replace": True,
    }  # fmt: skip


def test_client_that_wants_some_sessions_gets_those_only(stage: Stage) -> None:
    scoped = stage.listen("scoped", caps=frozenset({"session-scoped-events"}))
    stage.tell(TurnStarted(0))
    assert scoped.seen() == []
    stage.hub.watch_messages("scoped", KEY)
    stage.tell(TextStreamed("hi", "hi"), 1200)
    assert [f["event"] for f in scoped.seen()] == ["agent", "chat"]
    stage.hub.broadcast("health", {"ok": True})
    stage.hub.watch_messages("scoped", "agent:main:other")
    stage.hub.unwatch_messages("scoped", KEY)
    stage.tell(TextStreamed("hi you", " you"), 1400)
    assert [f["event"] for f in scoped.seen()] == ["health"]


def test_client_without_read_hears_no_runs_with_version_4(stage: Stage) -> None:
    deaf = stage.listen("deaf", scope="operator.approvals")
    old = stage.listen("old-deaf", scope="operator.approvals", protocol=3)
    stage.tell(TurnStarted(0))
    assert deaf.seen() == []
    assert [f["event"] for f in old.seen()] == ["agent"]


def test_one_frame_is_encoded_once_for_all_clients_of_a_version(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        stage.listen(f"c{number}")
    calls: list[str] = []
    dumps = json.JSONEncoder.encode
    from homarus.gateway import delta, hub  # noqa: PLC0415 - patched where it is used

    def counted(event: str, payload: object, state_version: object = None) -> str:
        calls.append(event)
        body = {"type": "event", "event": event, "payload": payload}
        return dumps(json.JSONEncoder(), body if state_version is None else {**body, "stateVersion": state_version})

    monkeypatch.setattr(hub, "encode_event", counted)
    monkeypatch.setattr(delta, "encode_event", counted)
    stage.tell(TurnStarted(0))
    stage.tell(TextStreamed("hi", "hi"), 1200)
    assert len(calls) == 7 + 2 + 1 + 2  # version 4: start, three phases twice, two pieces; version 3: start, two pieces
