"""Runs as events, against what the reference gateway was recorded to send."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Struct, field
from tests.gateway.fake_clock import FakeClock
from tests.gateway.frames_of import frames_of

from homarus.agent.events import (
    AgentEvent,
    TextStreamed,
    ThinkingStreamed,
    ToolFinished,
    ToolProgressed,
    ToolStarted,
    TurnAborted,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from homarus.gateway.caller import Caller
from homarus.gateway.hub import EventHub
from homarus.gateway.outbox import ClientOutbox
from homarus.gateway.peer import Peer
from homarus.gateway.run_feed import RunFeed
from homarus.ids import AgentId, RunId
from homarus.models.contract import Usage
from homarus.pipeline.contract import Requester, RunEvent, RunInfo
from homarus.protocol.scopes import Scope

KEY = "agent:main:raw"
RUN = RunInfo(RunId("r1"), AgentId("main"), KEY, "s1", "chat", Requester())
SNAPSHOT: dict[str, object] = {"session": {"key": KEY}, "sessionId": "s1"}


class Listener(Struct):
    caller: Caller
    outbox: ClientOutbox = field(default_factory=ClientOutbox)

    def disconnect(self, code: int, reason: str) -> None:
        raise AssertionError("not asked to")


class Stage:
    """A feed with two admins; `asker` announced tool events for the run."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.hub = EventHub()
        self.feed = RunFeed(self.hub, self.clock, lambda _run: SNAPSHOT)
        peer, admin = Peer("127.0.0.1", is_local=True), frozenset({str(Scope.ADMIN)})
        self.asker = Listener(Caller("asker", peer, scopes=admin))
        self.viewer = Listener(Caller("viewer", peer, scopes=admin))
        self.hub.add(self.asker)
        self.hub.add(self.viewer)
        self.seq = 0

    def tell(self, event: AgentEvent, at: int = 1000) -> None:
        self.seq += 1
        self.feed.listen(RunEvent(RUN, self.seq, at, event))

    def seen(self, listener: Listener) -> list[tuple[str, dict[str, Any]]]:
        return [(frame["event"], frame["payload"]) for frame in frames_of(listener.outbox)]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def message(text: str, at: int) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"type": "text", "text": text}], "timestamp": at}


def agent(seq: int, at: int, stream: str, data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return "agent", {"runId": "r1", "stream": stream, "data": data, "sessionKey": KEY, "seq": seq, "ts": at}


def chat(seq: int, state: str, **rest: Any) -> tuple[str, dict[str, Any]]:
    return "chat", {"runId": "r1", "sessionKey": KEY, "seq": seq, "state": state, **rest}


def test_text_run_is_told_as_recorded(stage: Stage) -> None:
    stage.tell(TurnStarted(990), 1000)
    stage.tell(TextStreamed("Hel", "Hel"), 1200)
    stage.tell(TextStreamed("Hello", "lo"), 1210)
    stage.tell(TurnFinished("Hello!", "stop", Usage(), 1300), 1300)
    assert stage.seen(stage.viewer) == [
        agent(1, 1000, "lifecycle", {"phase": "start", "startedAt": 990}),
        agent(2, 1200, "assistant", {"text": "Hel", "delta": "Hel"}),
        chat(2, "delta", message=message("Hel", 1200)),
        agent(3, 1210, "assistant", {"text": "Hello", "delta": "lo"}),
        agent(4, 1300, "lifecycle", {"phase": "end", "endedAt": 1300}),
        chat(4, "delta", message=message("Hello!", 1300)),
        chat(4, "final", message=message("Hello!", 1300)),
    ]


def test_deltas_are_at_least_150_ms_apart(stage: Stage) -> None:
    stage.tell(TurnStarted(0), 1000)
    for step in range(10):
        stage.tell(TextStreamed("x" * (step + 1), "x"), 1000 + step * 50)
    times = [payload["message"]["timestamp"] for name, payload in stage.seen(stage.viewer) if name == "chat"]
    assert times == [1000, 1150, 1300, 1450]


def test_no_flush_repeats_what_was_said(stage: Stage) -> None:
    stage.tell(TurnStarted(0), 1000)
    stage.tell(TextStreamed("done", "done"), 1200)
    stage.tell(TurnFinished("done", "stop", Usage(), 1300))
    states = [payload["state"] for name, payload in stage.seen(stage.viewer) if name == "chat"]
    assert states == ["delta", "final"]


def test_command_is_told_as_tool_item_and_output(stage: Stage) -> None:
    stage.feed.add_tool_recipient("r1", "asker")
    stage.tell(TurnStarted(0))
    stage.tell(TextStreamed("let me look", "let me look"), 1000)
    stage.tell(TextStreamed("let me look, now", ", now"), 1010)
    stage.tell(ToolStarted("c1", "exec", {"command": "echo hi"}), 1020)
    stage.tell(ToolProgressed("c1", "exec", "hi"), 1030)
    stage.tell(
        ToolFinished("c1", "exec", "hi\n", is_error=True, duration_ms=26, details={"exitCode": 3, "cwd": "/w"}), 1040
    )
    head = {"itemId": "command:c1", "title": "command `echo hi`", "toolCallId": "c1", "name": "exec"}
    tool = {"name": "exec", "toolCallId": "c1"}
    seen = stage.seen(stage.asker)
    assert chat(3, "delta", message=message("let me look, now", 1020)) in seen
    kinds = [(p["stream"], p["data"].get("kind"), p["data"].get("phase")) for name, p in seen if name == "agent"]
    assert kinds[3:] == [
        ("tool", None, "start"), ("item", "tool", "start"), ("item", "command", "start"),
        ("tool", None, "update"), ("item", "tool", "update"), ("item", "command", "update"),
        ("command_output", None, "delta"),
        ("tool", None, "result"), ("item", "tool", "end"), ("item", "command", "end"), ("command_output", None, "end"),
    ]  # fmt: skip
    payloads = [p for name, p in seen if name == "agent" and p["stream"] in ("tool", "command_output")]
    assert payloads[0]["data"] == {"phase": "start", **tool, "args": {"command": "echo hi"}}
    assert payloads[0]["session"] == {"key": KEY}
    assert payloads[2]["data"] == {**head, "phase": "delta", "output": "hi", "status": "running"}
    assert payloads[3]["data"]["isError"] is True
    end = {
        **head,
        "phase": "end",
        "output": "hi\n",
        "status": "completed",
        "durationMs": 26,
        "exitCode": 3,
        "cwd": "/w",
    }
    assert payloads[4]["data"] == end
    seqs = [p["seq"] for name, p in seen if name == "agent"]
    assert seqs == list(range(1, len(seqs) + 1))


def test_tool_that_failed_says_why(stage: Stage) -> None:
    stage.tell(ToolStarted("c1", "no_such_tool", {"a": 1}), 1000)
    stage.tell(ToolFinished("c1", "no_such_tool", "Tool no_such_tool not found", is_error=True, duration_ms=1), 1010)
    end = stage.seen(stage.viewer)[-1][1]["data"]
    assert end == {
        "itemId": "tool:c1", "phase": "end", "kind": "tool", "title": "no_such_tool", "status": "failed",
        "name": "no_such_tool", "toolCallId": "c1", "startedAt": 1000, "endedAt": 1010,
        "error": "Tool no_such_tool not found",
    }  # fmt: skip


def test_tool_events_go_to_those_who_asked_and_session_watchers_only(stage: Stage) -> None:
    stage.feed.add_tool_recipient("r1", "asker")
    stage.tell(ToolStarted("c1", "list", {"path": "."}))
    assert [p["stream"] for _, p in stage.seen(stage.asker)] == ["tool", "item"]
    assert [p["stream"] for _, p in stage.seen(stage.viewer)] == ["item"]
    stage.hub.watch_sessions("viewer")
    stage.tell(ToolStarted("c2", "list", {"path": "."}))
    assert [name for name, _ in stage.seen(stage.viewer)] == ["session.tool", "agent"]


def test_tool_recipients_expire_after_ten_minutes(stage: Stage) -> None:
    stage.feed.add_tool_recipient("r1", "asker")
    stage.clock.advance(601)
    stage.tell(ToolStarted("c1", "list", {}))
    assert [p["stream"] for _, p in stage.seen(stage.asker)] == ["item"]


@pytest.mark.parametrize("reply", ["NO_REPLY", " no_reply \n"])
def test_silent_reply_is_never_shown(stage: Stage, reply: str) -> None:
    stage.tell(TurnStarted(0))
    for end in range(1, len(reply) + 1):
        stage.tell(TextStreamed(reply[:end], reply[end - 1]), 1000 + end * 200)
    stage.tell(TurnFinished(reply, "stop", Usage(), 9000))
    seen = stage.seen(stage.viewer)
    assert [payload["state"] for name, payload in seen if name == "chat"] == ["final"]
    assert "message" not in seen[-1][1]


def test_text_that_only_begins_like_a_silent_reply_is_shown_whole(stage: Stage) -> None:
    stage.tell(TurnStarted(0))
    stage.tell(TextStreamed("No", "No"), 1000)
    stage.tell(TextStreamed("No problem", " problem"), 1200)
    deltas = [p["data"]["delta"] for name, p in stage.seen(stage.viewer) if name == "agent" and "delta" in p["data"]]
    assert deltas == ["No problem"]


def test_abort_answers_with_the_key_as_the_client_wrote_it(stage: Stage) -> None:
    stage.feed.hold("r1", "raw")()
    stage.tell(TurnStarted(0))
    stage.tell(TurnAborted("so far", "rpc", 1500))
    name, payload = stage.seen(stage.viewer)[-1]
    assert (name, payload["sessionKey"], payload["state"], payload["stopReason"]) == ("chat", "raw", "aborted", "rpc")
    assert payload["message"] == message("so far", 1500)


def test_failure_ends_with_error_and_no_message(stage: Stage) -> None:
    stage.tell(TurnStarted(0))
    stage.tell(TurnFailed("400 mock failure", 1100))
    assert stage.seen(stage.viewer)[1:] == [
        agent(2, 1100, "lifecycle", {"phase": "error", "error": "400 mock failure", "endedAt": 1100}),
        chat(2, "error", errorMessage="400 mock failure"),
    ]


def test_command_reply_without_a_turn_is_one_final_in_stored_form(stage: Stage) -> None:
    stage.tell(TurnFinished("Thinking level set to low.", "stop", Usage(), 1000))
    [(name, payload)] = stage.seen(stage.viewer)
    assert (name, payload["state"], payload["seq"]) == ("chat", "final", 1)
    assert payload["message"]["model"] == "gateway-injected"


def test_events_wait_for_the_acknowledgement(stage: Stage) -> None:
    release = stage.feed.hold("r1")
    stage.tell(TurnStarted(0))
    stage.tell(ThinkingStreamed("hm", "hm"))
    assert stage.seen(stage.viewer) == []
    release()
    assert [p["stream"] for _, p in stage.seen(stage.viewer)] == ["lifecycle", "thinking"]
