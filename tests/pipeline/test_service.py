from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.pipeline.harness import FakeNetwork, FakeToolbox, World, chat, direct, group, world

from homarus.channels.contract import Acceptance, Ambiguous, Verdict
from homarus.errors import Permanent, Transient, UserError
from homarus.models.contract import Failed, FailureKind, ToolCall, UserMessage
from homarus.pipeline.contract import Requester
from homarus.pipeline.pairing import WELCOME, Pairing
from homarus.storage.entries import select_entries
from homarus.storage.records import Entry
from homarus.testing.manual_clock import ManualClock
from homarus.testing.scripted_model import ScriptedModel, call, say
from homarus.tools.contract import ToolContext
from homarus.tools.runner import ToolOutcome


async def transcript(here: World, run_id: str) -> list[Entry]:
    outcome = await here.pipeline.outcome(run_id)
    assert outcome is not None
    return await here.parts.database.read(select_entries, outcome.session_id, None)


async def test_a_direct_message_is_answered_and_ends_delivered(tmp_path: Path) -> None:
    async with world(tmp_path, ScriptedModel([say("hello back")])) as here:
        assert await here.pipeline.accept(direct("hello")) is Acceptance.ACCEPTED
        [message] = await here.until_settled()
        assert message.state == "delivered"
        assert [part.text for part in here.network.sent] == ["hello back"]
        assert here.network.sent[0].address == direct("x").address
        steps = [line.split(" ")[1] for line in message.trail.splitlines()]
        assert steps == ["received", "queued", "running", "replied", "delivered"]


async def test_a_repeated_message_is_answered_once(tmp_path: Path) -> None:
    async with world(tmp_path, ScriptedModel([say("once")])) as here:
        assert await here.pipeline.accept(direct("hello")) is Acceptance.ACCEPTED
        assert await here.pipeline.accept(direct("hello")) is Acceptance.DUPLICATE
        await here.until_settled()
        assert await here.pipeline.accept(direct("hello")) is Acceptance.DUPLICATE
        assert len(here.network.sent) == 1


async def test_a_submission_runs_once_however_often_it_is_sent(tmp_path: Path) -> None:
    async with world(tmp_path, ScriptedModel([say("hi")])) as here:
        assert (await here.pipeline.submit(chat("hello"))).status == "started"
        outcome = await here.pipeline.wait("r1", 45)
        assert outcome is not None
        assert (outcome.state, outcome.text) == ("done", "hi")
        again = await here.pipeline.submit(chat("hello"))
        assert again.status == "known"
        assert again.outcome == outcome
        [message] = await here.messages()
        assert (message.state, message.reason) == ("delivered", "transcript")
        assert here.event_names() == ["TurnStarted", "TextStreamed", "TurnFinished"]


async def test_an_unknown_sender_gets_one_pairing_code_and_is_heard_after_approval(tmp_path: Path) -> None:
    async with world(tmp_path, ScriptedModel([say("welcome")])) as here:
        await here.pipeline.accept(direct("let me in", 1, "eve"))
        await here.pipeline.accept(direct("please", 2, "eve"))
        await here.until(lambda _rows: len(here.network.sent) == 1)
        pairing = Pairing(here.parts.database, here.parts.clock)
        [request] = await pairing.list("net")
        assert request.code in here.network.sent[0].text
        assert {m.state for m in await here.messages()} == {"dropped"}
        with pytest.raises(UserError, match="no pairing request"):
            await pairing.approve("net", "WRONGONE")
        await pairing.approve("net", request.code.lower())
        here.delivery.wake()
        await here.until(lambda _rows: len(here.network.sent) == 2)
        assert (here.network.sent[1].address, here.network.sent[1].text) == (direct("", 1, "eve").address, WELCOME)
        await here.pipeline.accept(direct("now?", 3, "eve"))
        await here.until_settled()
        assert here.network.sent[-1].text == "welcome"
        assert await pairing.list() == []


async def test_a_room_is_answered_only_when_mentioned(tmp_path: Path) -> None:
    async with world(tmp_path, ScriptedModel([say("yes?")])) as here:
        await here.pipeline.accept(group("chatting", 1))
        await here.pipeline.accept(group("homarus: hello", 2, is_mentioned=True))
        await here.until_settled()
        assert [part.text for part in here.network.sent] == ["yes?"]
        states = {m.external_id: (m.state, m.reason) for m in await here.messages()}
        assert states == {"g1": ("dropped", "not mentioned"), "g2": ("delivered", "")}


async def test_messages_that_arrive_during_a_run_are_collected_into_one_turn(tmp_path: Path) -> None:
    gate = asyncio.Event()
    model = ScriptedModel([say("one"), say("both")], gate=gate)
    async with world(tmp_path, model) as here:
        await here.pipeline.accept(direct("first", 1))
        await here.until(lambda rows: any(m.state == "running" for m in rows))
        await here.pipeline.accept(direct("second", 2))
        await here.pipeline.accept(direct("third", 3))
        gate.set()
        await here.until_settled()
        assert [part.text for part in here.network.sent] == ["one", "both"]
        last = model.requests[-1].messages[-1]
        assert isinstance(last, UserMessage)
        assert "--- Queued #1\\nsecond" in str(last.content)
        assert {m.state for m in await here.messages()} == {"delivered"}


async def test_tool_results_are_stored_with_their_label_before_the_next_step(tmp_path: Path) -> None:
    model = ScriptedModel([call(("1", "read", "{}"), ("2", "list", "{}")), say("done")])
    toolbox = FakeToolbox()
    async with world(tmp_path, model, toolbox=toolbox) as here:
        await here.pipeline.submit(chat("look"))
        await here.pipeline.wait("r1", 45)
        entries = await transcript(here, "r1")
        assert [entry.type for entry in entries] == ["user", "assistant", "tool_result", "tool_result", "assistant"]
        assert entries[-1].label.is_tainted
        assert not entries[0].label.is_tainted
        assert sorted(c.name for c in toolbox.runs) == ["list", "read"]


async def test_a_stop_in_the_middle_of_a_run_is_resumed_with_one_reply(tmp_path: Path) -> None:
    async with world(tmp_path, ScriptedModel([say("never")], gate=asyncio.Event())) as here:
        await here.pipeline.accept(direct("hello"))
        await here.until(lambda rows: rows[0].state == "running")
    async with world(tmp_path, ScriptedModel([say("after restart")])) as here:
        [message] = await here.until_settled()
        assert message.state == "delivered"
        assert [part.text for part in here.network.sent] == ["after restart"]


async def test_a_tool_whose_outcome_a_stop_left_unknown_is_not_run_again(tmp_path: Path) -> None:
    started = asyncio.Event()

    class Hanging(FakeToolbox):
        async def run(self, call: object, context: object) -> object:  # pyright: ignore[reportIncompatibleMethodOverride]
            started.set()
            await asyncio.Event().wait()

    steps = [call(("1", "exec", "{}")), say("checked")]
    async with world(tmp_path, ScriptedModel(steps), toolbox=Hanging()) as here:
        await here.pipeline.accept(direct("do it"))
        await started.wait()
    toolbox = FakeToolbox()
    model = ScriptedModel([say("checked")])
    async with world(tmp_path, model, toolbox=toolbox) as here:
        await here.until_settled()
        assert toolbox.runs == []
        assert "outcome unknown" in str(model.requests[0].messages)
        assert [part.text for part in here.network.sent] == ["checked"]


async def test_an_aborted_run_keeps_its_text_and_says_nothing_more(tmp_path: Path) -> None:
    async with world(tmp_path, ScriptedModel([say("x")], gate=asyncio.Event())) as here:
        await here.pipeline.submit(chat("long"))
        await here.until(lambda rows: rows[0].state == "running" and bool(here.pipeline.active()))
        stranger = Requester(device_id="other")
        with pytest.raises(UserError, match="unauthorized"):
            await here.pipeline.abort("agent:main:main", None, "rpc", stranger)
        with pytest.raises(UserError, match="does not match"):
            await here.pipeline.abort("agent:main:other", "r1", "rpc", Requester(is_admin=True))
        assert await here.pipeline.abort("agent:main:main", "r1", "rpc", Requester(device_id="d1")) == ("r1",)
        [message] = await here.until_settled()
        assert (message.state, message.reason) == ("silent", "aborted: rpc")
        await here.until(lambda _rows: here.event_names()[-1] == "TurnAborted")


async def test_a_queued_submission_can_be_taken_back(tmp_path: Path) -> None:
    async with world(tmp_path, ScriptedModel([say("x")], gate=asyncio.Event())) as here:
        await here.pipeline.submit(chat("one", "r1"))
        await here.until(lambda rows: rows[0].state == "running")
        assert (await here.pipeline.submit(chat("two", "r2"))).status == "queued"
        assert await here.pipeline.abort("agent:main:main", "r2", "rpc", Requester(is_admin=True)) == ("r2",)
        rows = await here.until(lambda rows: any(m.state == "silent" for m in rows))
        assert {m.run_id: m.state for m in rows} == {"r1": "running", "r2": "silent"}


async def test_stop_in_a_chat_ends_the_run_and_clears_the_queue(tmp_path: Path) -> None:
    async with world(tmp_path, ScriptedModel([say("x")], gate=asyncio.Event())) as here:
        await here.pipeline.accept(direct("long work", 1))
        await here.until(lambda rows: any(m.state == "running" for m in rows))
        await here.pipeline.accept(direct("and this", 2))
        await here.pipeline.accept(direct("Stop!", 3))
        rows = await here.until_settled()
        assert {m.state for m in rows} == {"silent"}
        assert here.network.sent == []


async def test_stopping_a_session_drops_what_waits_there_when_an_admin_says_so(tmp_path: Path) -> None:
    async with world(tmp_path, ScriptedModel([say("x")], gate=asyncio.Event())) as here:
        await here.pipeline.accept(direct("long work", 1))
        await here.until(lambda rows: any(m.state == "running" for m in rows))
        await here.pipeline.accept(direct("and this", 2))
        [run] = here.pipeline.active()
        admin = Requester(is_admin=True)
        stopped = await here.pipeline.abort(run.session_key, None, "rpc", admin, clears_queue=True)
        rows = await here.until_settled()
        assert stopped == (run.run_id,)
        assert {m.text: m.state for m in rows} == {"long work": "silent", "and this": "silent"}


@pytest.mark.parametrize("kind", [FailureKind.AUTH, FailureKind.TIMEOUT, FailureKind.GARBAGE])
async def test_a_failing_model_is_told_to_the_user_and_named_in_the_state(tmp_path: Path, kind: FailureKind) -> None:
    async with world(tmp_path, ScriptedModel([Failed(kind, "the provider said no")])) as here:
        await here.pipeline.accept(direct("hello"))
        [message] = await here.until_settled()
        assert message.state == "failed"
        assert message.reason == "user told: the provider said no"
        assert "the provider said no" in here.network.sent[0].text


async def test_a_run_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    async with world(tmp_path, ScriptedModel([say("x")], gate=asyncio.Event()), timeout=0.05) as here:
        await here.pipeline.submit(chat("slow"))
        outcome = await here.pipeline.wait("r1", 45)
        assert outcome is not None
        assert (outcome.state, outcome.stop_reason) == ("aborted", "timeout")


async def test_no_reply_is_silence(tmp_path: Path) -> None:
    async with world(tmp_path, ScriptedModel([say("NO_REPLY")])) as here:
        await here.pipeline.accept(direct("thanks"))
        [message] = await here.until_settled()
        assert (message.state, message.reason) == ("silent", "nothing to say")
        assert here.network.sent == []


async def test_a_lost_connection_is_tried_again_until_the_part_arrives(tmp_path: Path) -> None:
    network = FakeNetwork(failures=[Transient("gone", retry_after=0.01), Transient("gone", retry_after=0.01)])
    async with world(tmp_path, ScriptedModel([say("hi")]), network=network) as here:
        await here.pipeline.accept(direct("hello"))
        [message] = await here.until_settled()
        assert message.state == "delivered"
        assert [part.attempt for part in network.sent] == [3]
        told = [line.partition(" ")[2] for line in message.trail.splitlines() if " attempt " in line]
        assert [line.partition(";")[0] for line in told] == [
            "attempt 1 to send part 1 failed: gone",
            "attempt 2 to send part 1 failed: gone",
        ]
        assert message.trail.splitlines()[-1].endswith(" delivered")


async def test_a_part_the_platform_refuses_for_good_ends_failed(tmp_path: Path) -> None:
    network = FakeNetwork(failures=[Permanent("no such nick")])
    async with world(tmp_path, ScriptedModel([say("hi")]), network=network) as here:
        await here.pipeline.accept(direct("hello"))
        [message] = await here.until_settled()
        assert (message.state, message.reason) == ("failed", "not delivered: no such nick")


@pytest.mark.parametrize(
    ("verdict", "texts"),
    [
        (Verdict.SENT, []),
        (Verdict.NOT_SENT, ["hi"]),
        (Verdict.UNKNOWN, ["(sent again after an interruption; you may have seen this) hi"]),
    ],
)
async def test_an_ambiguous_send_is_reconciled_or_repeated_with_a_notice(
    tmp_path: Path, verdict: Verdict, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("homarus.pipeline.delivery.FIRST_BACKOFF", 0.01)
    network = FakeNetwork(failures=[Ambiguous("cut")], verdict=verdict)
    async with world(tmp_path, ScriptedModel([say("hi")]), network=network) as here:
        await here.pipeline.accept(direct("hello"))
        [message] = await here.until_settled()
        assert message.state == "delivered"
        assert [part.text for part in network.sent] == texts


async def test_a_long_reply_is_cut_into_parts_that_arrive_in_order(tmp_path: Path) -> None:
    text = "\n\n".join(f"paragraph {number} " + "word " * 20 for number in range(6))
    async with world(tmp_path, ScriptedModel([say(text)])) as here:
        await here.pipeline.accept(direct("tell me"))
        await here.until_settled()
        assert len(here.network.sent) > 1
        assert [part.index for part in here.network.sent] == list(range(len(here.network.sent)))
        assert all(len(part.text) <= 200 for part in here.network.sent)


async def test_sessions_run_side_by_side_up_to_the_limit(tmp_path: Path) -> None:
    gate = asyncio.Event()
    model = ScriptedModel([say("x")], gate=gate)
    config: dict[str, object] = {"agents": {"defaults": {"maxConcurrent": 2}}}
    async with world(tmp_path, model, config=config) as here:
        for number in range(4):
            await here.pipeline.submit(chat("go", f"r{number}", f"agent:main:s{number}"))
        await here.until(lambda _rows: len(model.requests) == 2)
        await asyncio.sleep(0.05)
        assert len(model.requests) == 2
        gate.set()
        rows = await here.until_settled()
        assert {m.state for m in rows} == {"delivered"}


async def test_orders_are_answered_without_a_model_and_only_for_users(tmp_path: Path) -> None:
    model = ScriptedModel([say("from the model")])
    async with world(tmp_path, model) as here:
        for number, text in enumerate(["/help", "/whoami", "/status"]):
            await here.pipeline.accept(direct(text, number))
            await here.until_settled()
        assert model.requests == []
        said = "\n".join(part.text for part in here.network.sent)
        assert "/new" in said
        assert "Your id: ann" in said
        assert said.endswith("status of agent:main:main")
        await here.pipeline.accept(group("/status", 9, is_mentioned=True))
        await here.until_settled()
        assert here.network.sent[-1].text == "from the model"


async def test_an_order_sent_verbatim_is_text_for_the_model(tmp_path: Path) -> None:
    model = ScriptedModel([say("it lists orders")])
    async with world(tmp_path, model) as here:
        await here.pipeline.submit(replace(chat("/help"), is_verbatim=True))
        await here.until_settled()
        assert len(model.requests) == 1


async def test_new_begins_a_conversation_that_remembers_nothing(tmp_path: Path) -> None:
    model = ScriptedModel([say("ok")])
    async with world(tmp_path, model) as here:
        await here.pipeline.accept(direct("my secret plan", 1))
        await here.until_settled()
        await here.pipeline.accept(direct("/new", 2))
        await here.until_settled()
        assert here.network.sent[-1].text == "New conversation."
        await here.pipeline.accept(direct("/new what do you know?", 3))
        await here.until_settled()
        assert "secret plan" not in str(model.requests[-1].messages)
        assert "what do you know?" in str(model.requests[-1].messages)
        assert "/new" not in str(model.requests[-1].messages)


async def test_a_steered_message_joins_the_run_at_its_next_step(tmp_path: Path) -> None:
    started, go = asyncio.Event(), asyncio.Event()

    class Waiting(FakeToolbox):
        async def run(self, call: ToolCall, context: ToolContext) -> ToolOutcome:
            started.set()
            await go.wait()
            return await super().run(call, context)

    model = ScriptedModel([call(("1", "exec", "{}")), say("both done")])
    config: dict[str, object] = {"messages": {"queue": {"mode": "steer", "debounceMs": 0}}}
    async with world(tmp_path, model, toolbox=Waiting(), config=config) as here:
        await here.pipeline.accept(direct("do a", 1))
        await started.wait()
        await here.pipeline.accept(direct("and b", 2))
        go.set()
        rows = await here.until_settled()
        assert [part.text for part in here.network.sent] == ["both done"]
        assert {m.state for m in rows} == {"delivered"}
        assert "and b" in str(model.requests[-1].messages)


async def test_in_followup_mode_every_message_has_its_own_turn(tmp_path: Path) -> None:
    gate = asyncio.Event()
    config: dict[str, object] = {"messages": {"queue": {"mode": "followup", "debounceMs": 0}}}
    async with world(tmp_path, ScriptedModel([say("ok")], gate=gate), config=config) as here:
        for number in range(3):
            await here.pipeline.accept(direct(f"m{number}", number))
        gate.set()
        await here.until_settled()
        assert len(here.network.sent) == 3


async def test_a_session_that_slept_past_the_daily_boundary_begins_anew(tmp_path: Path) -> None:
    clock = ManualClock(now_ms=1_763_712_000_000)
    model = ScriptedModel([say("ok")])
    async with world(tmp_path, model, clock=clock) as here:
        await here.pipeline.accept(direct("yesterday's words", 1))
        await here.until_settled()
        clock.advance(26 * 3_600)
        await here.pipeline.accept(direct("good morning", 2))
        await here.until_settled()
        assert "yesterday's words" not in str(model.requests[-1].messages)
