from __future__ import annotations

from pathlib import Path

from tests.pipeline.harness import World, direct, group, world

from homarus.channels.telegram.config import TelegramConfig
from homarus.models.contract import Failed, FailureKind
from homarus.testing.manual_clock import ManualClock
from homarus.testing.scripted_model import ScriptedModel, say

HOUR = 3_600.0


def section(**keys: object) -> TelegramConfig:
    """Return rules that let Ann and Bob in."""
    known: dict[str, object] = {"allowFrom": ["ann"], "groupAllowFrom": ["*"], "groups": {"#room": {}}}
    return TelegramConfig.model_validate(known | keys)


def failing(*errors: str) -> ScriptedModel:
    return ScriptedModel([Failed(FailureKind.BAD_REQUEST, error) for error in errors])


async def write(here: World, count: int) -> list[str]:
    """Let Ann write so often, one message after the other, and return what she was told in all."""
    known = len(await here.messages())
    for number in range(known, known + count):
        await here.pipeline.accept(direct(f"message {number}", number))
        await here.until_settled()
    return [part.text for part in here.network.sent]


async def test_every_failure_is_told_unless_the_configuration_says_otherwise(tmp_path: Path) -> None:
    async with world(tmp_path, failing("no tide", "no tide"), policy=section()) as here:
        assert len(await write(here, 2)) == 2
        assert not any(part.manner.is_quiet for part in here.network.sent)


async def test_a_silent_chat_hears_of_no_failure_and_the_owner_finds_it(tmp_path: Path) -> None:
    async with world(tmp_path, failing("no tide"), policy=section(errorPolicy="silent")) as here:
        assert await write(here, 1) == []
        [message] = await here.messages()
        assert message.state == "failed"
        assert message.reason.startswith("user not told (errorPolicy): ")
        assert "no tide" in message.reason


async def test_a_failure_is_told_once_and_after_the_cooldown_again_also_across_a_restart(tmp_path: Path) -> None:
    policy = section(errorPolicy="once", errorCooldownMs=int(2 * HOUR * 1000))
    clock = ManualClock()
    async with world(tmp_path, failing("try in 7 s", "try in 8 s"), policy=policy, clock=clock) as here:
        assert len(await write(here, 2)) == 1
    clock.advance(HOUR)
    async with world(tmp_path, failing("try in 9 s", "no tide"), policy=policy, clock=clock) as here:
        [other] = await write(here, 2)
        assert "no tide" in other
    clock.advance(HOUR + 1)
    async with world(tmp_path, failing("try in 9 s"), policy=policy, clock=clock) as here:
        assert len(await write(here, 1)) == 1


async def test_a_chat_has_a_policy_of_its_own(tmp_path: Path) -> None:
    policy = section(errorPolicy="silent", groups={"#room": {"errorPolicy": "always"}})
    async with world(tmp_path, failing("one", "two"), policy=policy) as here:
        await here.pipeline.accept(group("@bot", 1, is_mentioned=True))
        await here.until_settled()
        assert len(here.network.sent) == 1
        assert len(await write(here, 1)) == 1


async def test_error_replies_make_no_sound_when_wanted_and_answers_do(tmp_path: Path) -> None:
    model = ScriptedModel([Failed(FailureKind.BAD_REQUEST, "no tide"), say("six")])
    async with world(tmp_path, model, policy=section(silentErrorReplies=True)) as here:
        await write(here, 2)
        assert [part.manner.is_quiet for part in here.network.sent] == [True, False]
