from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from homarus.cli import calling, main, serving
from homarus.cli.calling import Asked
from homarus.cli.plain import read_plain_call, read_plain_start
from homarus.cli.serving import Start

PLAIN = [
    ["gateway", "run"],
    ["gateway", "run", "--port", "0"],
    ["gateway", "run", "--port", "65535", "--bind", "lan"],
    ["gateway", "run", "--home", "/tmp/a b", "--config", "c.json", "--bind", "loopback", "--port", "007"],
]
UNUSUAL = [
    ["gateway"],
    ["gateway", "status"],
    ["gateway", "run", "--help"],
    ["gateway", "run", "--port"],
    ["gateway", "run", "--port=1"],
    ["gateway", "run", "--port", "65536"],
    ["gateway", "run", "--port", "-1"],
    ["gateway", "run", "--port", "\u0663"],
    ["gateway", "run", "--port", "1", "--port", "2"],
    ["gateway", "run", "--token", "not-among-the-arguments"],
    ["gateway", "run", "--bind", "--home"],
    ["gateway", "run", "surplus"],
    ["up", "--port", "0"],
    ["gateway", "call"],
    ["gateway", "call", "--help"],
    ["gateway", "call", "health", "--params"],
    ["gateway", "call", "health", "--params", "{}", "--params", "{}"],
    ["gateway", "call", "health", "--params={}"],
    ["gateway", "call", "health", "--timeout", "0.05"],
    ["gateway", "call", "health", "--timeout", "3601"],
    ["gateway", "call", "health", "--timeout", "soon"],
    ["gateway", "call", "health", "surplus"],
    ["gateway", "call", "--params", "{}", "health"],
    ["gateway", "call", "health", "--port", "1"],
]
PLAIN_CALLS = [
    ["gateway", "call", "health"],
    ["gateway", "call", "sessions.list", "--params", '{"limit": 5}'],
    ["gateway", "call", "no such", "--timeout", "2.5", "--params", "no json"],
    ["gateway", "call", "health", "--timeout", "999"],
]


def leave(_arguments: list[str]) -> None:
    """Leave everything to the parser."""


@pytest.mark.parametrize("arguments", PLAIN, ids=" ".join)
def test_a_plain_start_means_what_the_parser_says(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[Start] = []

    def keep(start: Start) -> NoReturn:
        parsed.append(start)
        raise SystemExit(0)

    monkeypatch.setattr(serving, "serve", keep)

    monkeypatch.setattr(main, "read_plain_start", leave)
    with pytest.raises(SystemExit):
        main.run(arguments)
    assert [read_plain_start(arguments)] == parsed


@pytest.mark.parametrize("arguments", PLAIN_CALLS, ids=" ".join)
def test_a_plain_call_means_what_the_parser_says(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Asked] = []
    monkeypatch.setattr(calling, "ask", asked.append)
    assert main.run(arguments) == 0
    monkeypatch.setattr(main, "read_plain_call", leave)
    assert main.run(arguments) == 0
    assert asked == [read_plain_call(arguments)] * 2


@pytest.mark.parametrize("arguments", UNUSUAL, ids=" ".join)
def test_anything_unusual_is_left_to_the_parser(arguments: list[str]) -> None:
    assert read_plain_start(arguments) is None
    assert read_plain_call(arguments) is None


def test_home_and_configuration_are_paths() -> None:
    start = read_plain_start(["gateway", "run", "--home", "h", "--config", "c"])
    assert start is not None
    assert (start.home, start.config) == (Path("h"), Path("c"))
