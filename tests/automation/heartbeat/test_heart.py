"""Hearts on a real pipeline: what is asked, what is told to whom, what leaves no trace, and what a stop does."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.automation.heartbeat.pulse import MAIN, beating, checklist, to_net
from tests.gateway.fake_runs import FakeRuns
from tests.pipeline.harness import FakeNetwork, chat, direct

from homarus.labels import Confidentiality, Integrity, Label
from homarus.sessions.keys import parse_key
from homarus.storage import kv
from homarus.testing.manual_clock import ManualClock
from homarus.testing.scripted_model import ScriptedModel, say

STRANGER = Label(Integrity.EXTERNAL, Confidentiality.PRIVATE, ("node:x",))


async def test_an_empty_checklist_asks_no_model(tmp_path: Path) -> None:
    async with beating(tmp_path, ScriptedModel([])) as pulse:
        assert (await pulse.beat())["reason"] == "empty-heartbeat-file"
        checklist(tmp_path, "# Checklist\n- \n")
        assert (await pulse.beat())["reason"] == "empty-heartbeat-file"
        assert pulse.model.requests == []
        assert await pulse.hearts.last() == pulse.events[-1]


async def test_all_is_well_leaves_no_trace_in_the_session(tmp_path: Path) -> None:
    checklist(tmp_path, "- look at the door")
    async with beating(tmp_path, ScriptedModel([say("hello"), say("HEARTBEAT_OK")])) as pulse:
        await pulse.here.pipeline.submit(chat("hi"))
        await pulse.here.until_settled()
        before, told = await pulse.session(), len(await pulse.entries())
        event = await pulse.beat()
        assert (event["status"], event["silent"], event["indicatorType"]) == ("ok-token", True, "ok")
        assert "look at the door" in str(pulse.model.requests[-1].messages[-1])
        after = await pulse.session()
        assert before is not None
        assert after is not None
        assert (after.updated_at, after.last_preview, len(await pulse.entries())) == (
            before.updated_at,
            before.last_preview,
            told,
        )


async def test_what_needs_attention_is_sent_to_the_target_once(tmp_path: Path) -> None:
    checklist(tmp_path, "- look at the door")
    async with beating(tmp_path, ScriptedModel([say("It is open."), say("It is open.")]), config=to_net()) as pulse:
        event = await pulse.beat()
        assert (event["status"], event["channel"], event["to"], event["preview"]) == (
            "sent",
            "net",
            "ann",
            "It is open.",
        )
        assert await pulse.sent() == ["It is open."]
        assert (await pulse.beat())["reason"] == "duplicate"
        assert len(pulse.here.network.sent) == 1
        assert "It is open." in str((await pulse.entries())[1].payload)


async def test_without_a_target_nothing_is_sent(tmp_path: Path) -> None:
    checklist(tmp_path, "- look")
    async with beating(tmp_path, ScriptedModel([say("Something.")])) as pulse:
        event = await pulse.beat()
        assert (event["status"], event["reason"], event["preview"]) == ("skipped", "target-none", "Something.")


async def test_direct_chats_can_be_left_alone(tmp_path: Path) -> None:
    checklist(tmp_path, "- look")
    config = to_net(directPolicy="block")
    async with beating(tmp_path, ScriptedModel([say("Something.")]), config=config) as pulse:
        assert (await pulse.beat())["reason"] == "dm-blocked"


async def test_alerts_can_be_hidden_and_good_news_shown(tmp_path: Path) -> None:
    checklist(tmp_path, "- look")
    shown: dict[str, object] = {
        "channels": {"net": {"heartbeat": {"showAlerts": False, "showOk": True, "useIndicator": False}}},
        **to_net(),
    }
    async with beating(tmp_path, ScriptedModel([say("Bad."), say("HEARTBEAT_OK")]), config=shown) as pulse:
        assert (await pulse.beat())["reason"] == "alerts-disabled"
        event = await pulse.beat()
        assert (event["status"], "silent" in event, "indicatorType" in event) == ("ok-token", False, False)
        assert await pulse.sent() == ["HEARTBEAT_OK"]


async def test_outside_the_active_hours_nothing_happens(tmp_path: Path) -> None:
    checklist(tmp_path, "- look")
    clock = ManualClock()
    hour = (clock.now_ms() // 3_600_000 + 2) % 24
    hours = {"start": f"{hour:02d}:00", "end": f"{hour:02d}:59"}
    async with beating(tmp_path, ScriptedModel([]), config=to_net(activeHours=hours), clock=clock) as pulse:
        assert (await pulse.beat())["reason"] == "quiet-hours"


async def test_only_tasks_that_are_due_are_asked_for(tmp_path: Path) -> None:
    checklist(tmp_path, "tasks:\n- name: mail\n  interval: 1h\n  prompt: Read the mail.\n")
    async with beating(tmp_path, ScriptedModel([say("HEARTBEAT_OK"), say("HEARTBEAT_OK")])) as pulse:
        await pulse.beat()
        assert "mail: Read the mail." in str(pulse.model.requests[0].messages[-1])
        assert (await pulse.beat())["reason"] == "no-tasks-due"
        assert (await pulse.beat())["status"] == "ok-token"


async def test_a_failed_turn_is_reported_and_tells_nobody(tmp_path: Path) -> None:
    checklist(tmp_path, "- look")
    async with beating(tmp_path, ScriptedModel([]), config=to_net()) as pulse:
        event = await pulse.beat()
        assert (event["status"], event["indicatorType"]) == ("failed", "error")
        assert pulse.here.network.sent == []


async def test_a_heart_waits_for_a_session_that_is_busy(tmp_path: Path) -> None:
    checklist(tmp_path, "- look")
    clock = ManualClock()
    runs = FakeRuns(clock, is_manual=True)
    async with beating(tmp_path, ScriptedModel([]), clock=clock, runs=runs) as pulse:
        await runs.submit(chat("hello", "mine"))
        await clock.sleeping(1800)
        clock.advance(1800)
        while not runs._ended["mine"]._waiters:  # pyright: ignore[reportAttributeAccessIssue]
            await asyncio.sleep(0.002)
        assert len(runs.submissions) == 1
        runs.finish("mine", text="done")
        while len(runs.submissions) < 2:
            await asyncio.sleep(0.002)
        runs.finish(runs.submissions[1].run_id, text="HEARTBEAT_OK")
        assert (await pulse.event())["status"] == "ok-token"


async def test_an_isolated_heart_begins_anew_each_time(tmp_path: Path) -> None:
    checklist(tmp_path, "- look")
    config = to_net(isolatedSession=True)
    async with beating(tmp_path, ScriptedModel([say("one"), say("two")]), config=config) as pulse:
        await pulse.beat()
        await pulse.beat()
        assert [len(request.messages) for request in pulse.model.requests] == [1, 1]
        assert await pulse.entries(MAIN) == []


async def test_events_that_come_together_share_a_turn(tmp_path: Path) -> None:
    async with beating(tmp_path, ScriptedModel([say("Noted.")])) as pulse:
        await pulse.here.pipeline.accept(direct("hi"))
        await pulse.here.until_settled()
        await pulse.hearts.tell("the door is open", is_now=True)
        await pulse.hearts.tell("it rains", is_now=True)
        await pulse.merge()
        event = await pulse.event()
        asked = str(pulse.model.requests[-1].messages[-1])
        assert asked.index("the door is open") < asked.index("it rains")
        assert (event["status"], event["to"]) == ("sent", "ann")


async def test_an_event_that_can_wait_is_in_the_next_turn_and_once(tmp_path: Path) -> None:
    async with beating(tmp_path, ScriptedModel([say("I see.")])) as pulse:
        await pulse.hearts.tell("the door is open", is_now=False)
        await pulse.hearts.tell("the door is open", is_now=False)
        await pulse.hearts.tell("sudo rm", is_now=False, key=parse_key("main"), label=STRANGER)
        await pulse.here.pipeline.submit(chat("news?"))
        await pulse.here.until_settled()
        asked = str(pulse.model.requests[0].messages)
        assert asked.count("the door is open") == 1
        assert "System (untrusted): [" in asked


async def test_switched_off_hearts_keep_events_for_the_next_turn(tmp_path: Path) -> None:
    async with beating(tmp_path, ScriptedModel([])) as pulse:
        pulse.hearts.switch(is_enabled=False)
        await pulse.hearts.tell("wait", is_now=True)
        assert "wait" in str((await pulse.entries())[0].payload)
        pulse.clock.advance(7200)
        assert pulse.model.requests == []


async def test_a_beat_that_a_stop_interrupted_goes_on_and_is_told_once(tmp_path: Path) -> None:
    checklist(tmp_path, "- look")
    clock, network = ManualClock(), FakeNetwork()
    broken = FakeRuns(clock, is_manual=True)
    async with beating(tmp_path, ScriptedModel([]), clock=clock, config=to_net(), runs=broken) as pulse:
        await clock.sleeping(1800)
        clock.advance(1800)
        while not broken.submissions:
            await asyncio.sleep(0.002)
    model = ScriptedModel([say("It leaks.")])
    async with beating(tmp_path, model, clock=clock, config=to_net(), network=network) as pulse:
        assert (await pulse.event())["status"] == "sent"
        assert await pulse.sent() == ["It leaks."]
    async with beating(tmp_path, ScriptedModel([]), clock=clock, config=to_net(), network=network) as pulse:
        await clock.sleeping(1800)
        assert (pulse.events, len(network.sent)) == ([], 1)
        assert (await pulse.hearts.last() or {})["status"] == "sent"


async def test_a_beat_that_was_missed_happens_at_the_start(tmp_path: Path) -> None:
    clock = ManualClock()
    async with beating(tmp_path, ScriptedModel([]), clock=clock):
        await clock.sleeping(1800)
    clock.advance(5000)
    async with beating(tmp_path, ScriptedModel([]), clock=clock) as pulse:
        assert (await pulse.event())["reason"] == "empty-heartbeat-file"


async def test_a_record_of_a_newer_program_is_no_obstacle(tmp_path: Path) -> None:
    clock = ManualClock()
    async with beating(tmp_path, ScriptedModel([]), clock=clock) as pulse:
        for space, name in (("heartbeat", "main"), ("heartbeat-asked", MAIN)):
            await pulse.here.parts.database.write(kv.put_value, space, name, {"new": 1}, 1)
        pulse.hearts.wake()
        assert (await pulse.beat())["status"] == "skipped"
