from __future__ import annotations

import io

import pytest

from homarus.cli import screen


class Terminal(io.StringIO):
    """Output that a person looks at."""

    def isatty(self) -> bool:
        return True


def test_columns_line_up_also_with_wide_characters(capsys: pytest.CaptureFixture[str]) -> None:
    screen.table(("NAME", "TEXT"), [("ab", "one"), ("漢字", "two")], empty="none")
    assert capsys.readouterr().out == "NAME  TEXT\nab    one\n漢字  two\n"


def test_on_a_narrow_terminal_the_widest_columns_are_cut_and_no_line_is_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = Terminal()
    monkeypatch.setattr("sys.stdout", shown)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    row = (
        "357474df",
        "telegram/501",
        "failed (not delivered: " + "x" * 100 + ")",
        "what the message says, at some length",
    )
    screen.table(("ID", "CHANNEL", "STATE", "TEXT"), [row], empty="none")
    line = shown.getvalue().splitlines()[1]
    assert len(line) <= 60
    assert line.startswith("357474df  telegram/501  failed")
    assert line.endswith("…")


def test_an_empty_table_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    screen.table(("NAME",), [], empty="No messages.")
    assert capsys.readouterr().out == "No messages.\n"


def test_what_strangers_wrote_cannot_drive_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    screen.table(("TEXT",), [("a\x1b[31mb\r\nc\u202ed",)], empty="none")
    assert capsys.readouterr().out == "TEXT\na [31mb  c d\n"


def test_colour_is_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert screen.paint("a", "red", Terminal()) == "\x1b[31ma\x1b[0m"
    assert screen.paint("a", "red", io.StringIO()) == "a"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colour_can_be_turned_off(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(name, value)
    assert screen.paint("a", "red", Terminal()) == "a"


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (1_000_000_000, "now"),
        (999_958_000, "42 s ago"),
        (999_700_000, "5 min ago"),
        (900_000_000, "1 d ago"),
        (None, "-"),
    ],
)
def test_moments_are_shown_as_how_long_ago(moment: object, shown: str) -> None:
    assert screen.ago(moment, 1_000_000_000) == shown


def test_long_text_is_cut_to_the_columns_there_are() -> None:
    assert screen.shorten("漢字漢字", 5) == "漢字…"
    assert screen.shorten("short", 5) == "short"


def test_an_error_is_what_and_fix(capsys: pytest.CaptureFixture[str]) -> None:
    screen.report("the port is taken", "choose another")
    assert capsys.readouterr().err == "error: the port is taken\nfix:   choose another\n"
