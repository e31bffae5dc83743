from __future__ import annotations

import pytest

from homarus.config.reload import Impact, changed_paths, impact_of


@pytest.mark.parametrize(
    ("path", "impact"),
    [
        ("messages.responsePrefix", Impact.LIVE),
        ("agents.defaults.workspace", Impact.LIVE),
        ("agents.defaults.model", Impact.HOT),
        ("agents.list", Impact.HOT),
        ("channels.irc.nick", Impact.HOT),
        ("channels.defaults.groupPolicy", Impact.RESTART),
        ("gateway.port", Impact.RESTART),
        ("gateway.reload.mode", Impact.LIVE),
        ("gateway.channelHealthCheckMinutes", Impact.HOT),
        ("approvals", Impact.RESTART),
    ],
)
def test_the_first_matching_prefix_decides(path: str, impact: Impact) -> None:
    assert impact_of(path) is impact


def test_differences_are_named_and_lists_compare_as_a_whole() -> None:
    old = {"gateway": {"port": 1, "bind": "lan"}, "agents": {"list": [{"id": "a"}]}, "gone": 1}
    new = {"gateway": {"port": 2, "bind": "lan"}, "agents": {"list": [{"id": "b"}]}, "fresh": None}
    assert changed_paths(old, new) == ["gateway.port", "agents.list", "gone", "fresh"]
