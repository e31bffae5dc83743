from __future__ import annotations

import pytest

from homarus.config.schema import Config
from homarus.errors import ConfigError
from homarus.pipeline.mentions import mention_patterns


def config(shared: list[str], own: list[str] | None) -> Config:
    entry = {"id": "Clerk", **({} if own is None else {"groupChat": {"mentionPatterns": own}})}
    return Config.model_validate(
        {"messages": {"groupChat": {"mentionPatterns": shared}}, "agents": {"list": [{"id": "main"}, entry]}}
    )


def test_an_agents_own_patterns_replace_the_shared_ones() -> None:
    patterns = mention_patterns(config(["\\bbot\\b"], ["clerk"]))
    assert patterns.is_match("main", "hey BOT")
    assert not patterns.is_match("main", "robot")
    assert patterns.is_match("clerk", "Clerk?")
    assert not patterns.is_match("clerk", "hey bot")
    assert mention_patterns(config(["bot"], None)).is_match("clerk", "bot")
    assert not mention_patterns(config([], None))


@pytest.mark.parametrize(
    ("shared", "own", "path"),
    [
        (["ok", "("], None, "messages.groupChat.mentionPatterns[1]"),
        ([], ["["], "agents.list[1].groupChat.mentionPatterns[0]"),
    ],
)
def test_a_broken_pattern_is_named_with_its_place(shared: list[str], own: list[str] | None, path: str) -> None:
    with pytest.raises(ConfigError) as failure:
        mention_patterns(config(shared, own))
    assert failure.value.path == path
