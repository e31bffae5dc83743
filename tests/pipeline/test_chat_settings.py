"""What the rules of a chat make of its turns, and which messages its replies quote."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.pipeline.harness import World, direct, group, world

from homarus.channels.policy_config import ChannelPolicyConfig
from homarus.pipeline.accounts import ReplyMode
from homarus.storage.runs import select_run
from homarus.testing.scripted_model import ScriptedModel, say

ROOM = {"requireMention": False, "systemPrompt": "be brief", "skills": ["tides"], "tools": {"deny": ["exec"]}}


def policy(**room: object) -> ChannelPolicyConfig:
    return ChannelPolicyConfig.model_validate(
        {"allowFrom": ["ann"], "groups": {"#room": ROOM | room}, "groupAllowFrom": ["*"]}
    )


async def origins(here: World) -> list[dict[str, object]]:
    rows = await here.until_settled()
    runs = [await here.parts.database.read(select_run, name) for name in dict.fromkeys(m.run_id or "" for m in rows)]
    return [run.origin for run in reversed(runs) if run is not None]


async def test_prompt_skills_and_tools_of_a_chat_reach_its_turns_and_no_others(tmp_path: Path) -> None:
    async with world(tmp_path, ScriptedModel([say("hi")]), policy=policy()) as here:
        await here.pipeline.accept(group("hello"))
        await here.until_settled()
        await here.pipeline.accept(direct("hello"))
        shaped = {"kind": "channel", "extra": "be brief", "skills": ["tides"], "tools": {"deny": ["exec"]}}
        assert await origins(here) == [shaped, {"kind": "channel"}]


@pytest.mark.parametrize("mode", ["collect", "steer"])
async def test_a_message_with_other_tools_does_not_join_a_turn(tmp_path: Path, mode: str) -> None:
    gate = asyncio.Event()
    rules = policy(toolsBySender={"bob": {"allow": ["read"]}})
    settings: dict[str, object] = {"messages": {"queue": {"debounceMs": 0, "mode": mode}}}
    async with world(tmp_path, ScriptedModel([say("hi")], gate=gate), policy=rules, config=settings) as here:
        for number, sender in enumerate(("ann", "bob", "bob", "ann")):
            await here.pipeline.accept(group("hello", number, sender))
        gate.set()
        found = [origin.get("tools") for origin in await origins(here)]
        assert found == [{"deny": ["exec"]}, {"allow": ["read"]}, {"deny": ["exec"]}]


@pytest.mark.parametrize(
    ("mode", "in_room", "in_direct"),
    [
        ("off", [None, None], [None, None]),
        ("first", ["g1", None], [None, None]),
        ("all", ["g1", "g1"], ["m1", "m1"]),
        ("batched", [None, None], [None, None]),
    ],
)
async def test_replies_quote_as_configured(
    tmp_path: Path, mode: ReplyMode, in_room: list[str | None], in_direct: list[str | None]
) -> None:
    long = "word " * 40
    async with world(tmp_path, ScriptedModel([say(long)]), policy=policy(), reply_mode=mode) as here:
        await here.pipeline.accept(group("hello"))
        await here.until_settled()
        await here.pipeline.accept(direct("hello"))
        await here.until_settled()
        assert [part.reply_to for part in here.network.sent] == in_room + in_direct


async def test_an_answer_to_several_messages_quotes_the_last_in_the_batched_mode(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with world(tmp_path, ScriptedModel([say("hi")], gate=gate), policy=policy(), reply_mode="batched") as here:
        for number in range(3):
            await here.pipeline.accept(group("hello", number))
        gate.set()
        await here.until_settled()
        assert [part.reply_to for part in here.network.sent] == [None, "g2"]
