from __future__ import annotations

import json
from pathlib import Path

import pytest

from homarus.ops.logs import LEVELS, LogReader, parse_line


def record(message: str, level: str = "info", subsystem: str = "gateway.ws") -> str:
    fields = {"time": "2026-01-02T03:04:05.678Z", "level": level, "subsystem": subsystem, "message": message}
    return json.dumps(fields) + "\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "homarus.log"


def test_the_last_lines_come_first_to_last(path: Path) -> None:
    path.write_text("".join(record(str(number)) for number in range(10)))
    assert [line.message for line in LogReader(path).last(3)] == ["7", "8", "9"]


def test_what_is_added_follows(path: Path) -> None:
    path.write_text(record("one"))
    reader = LogReader(path)
    assert [line.message for line in reader.last(10)] == ["one"]
    with path.open("a") as file:
        file.write(record("two"))
    assert [line.message for line in reader.added()] == ["two"]
    assert list(reader.added()) == []


def test_a_line_that_is_still_being_written_waits_for_its_end(path: Path) -> None:
    whole = record("one")
    path.write_text(whole[:20])
    reader = LogReader(path)
    assert reader.last(10) == []
    with path.open("a") as file:
        file.write(whole[20:])
    assert [line.message for line in reader.added()] == ["one"]


def test_a_rotated_file_is_read_from_its_start(path: Path) -> None:
    path.write_text(record("old"))
    reader = LogReader(path)
    reader.last(10)
    path.rename(path.with_suffix(".1"))
    path.write_text(record("new"))
    assert [line.message for line in reader.added()] == ["new"]


def rotate(path: Path) -> None:
    for number in (2, 1):
        older = path.with_name(f"{path.name}.{number}")
        if older.exists():
            older.rename(path.with_name(f"{path.name}.{number + 1}"))
    path.rename(path.with_name(f"{path.name}.1"))


def test_nothing_is_missed_when_the_file_is_rotated_between_two_looks(path: Path) -> None:
    path.write_text(record("one"))
    reader = LogReader(path)
    reader.last(10)
    with path.open("a") as file:
        file.write(record("two"))
    rotate(path)
    path.write_text(record("three"))
    rotate(path)
    path.write_text(record("four"))
    assert [line.message for line in reader.added()] == ["two", "three", "four"]
    assert list(reader.added()) == []


def test_the_last_lines_are_taken_from_rotated_files_too(path: Path) -> None:
    for number in range(3):
        path.write_text(record(f"{number}a") + record(f"{number}b"))
        rotate(path)
    path.write_text(record("now"))
    reader = LogReader(path)
    assert [line.message for line in reader.last(4)] == ["1b", "2a", "2b", "now"]
    assert len(reader.last(100)) == 7
    assert list(reader.added()) == []


def test_a_missing_file_has_no_lines(path: Path) -> None:
    reader = LogReader(path)
    assert reader.last(5) == []
    assert list(reader.added()) == []


def test_levels_and_components_filter(path: Path) -> None:
    lines = [
        record("a", "debug"),
        record("b", "warn"),
        record("c", "error", "gateway.http"),
        record("d", "error", "gate"),
    ]
    path.write_text("".join(lines))
    assert [line.message for line in LogReader(path, LEVELS["warn"]).last(9)] == ["b", "c", "d"]
    assert [line.message for line in LogReader(path, 0, "gateway").last(9)] == ["a", "b", "c"]


def test_what_any_part_says_of_a_channel_belongs_to_the_channel(path: Path) -> None:
    about_irc = json.dumps({"level": "warn", "subsystem": "supervisor", "message": "a", "channel": "irc"}) + "\n"
    path.write_text(about_irc + record("b", "warn", "channels.irc.rooms") + record("c", "warn", "supervisor"))
    reader = LogReader(path, 0, "channels.irc")
    assert [line.message for line in reader.last(9)] == ["a", "b"]
    assert reader.left_out == {"supervisor"}


def test_a_line_that_is_no_record_is_shown_as_it_is(path: Path) -> None:
    path.write_text("plain text\n[1]\n")
    assert [line.raw for line in LogReader(path).last(5)] == ["plain text", "[1]"]
    assert LogReader(path, LEVELS["warn"]).last(5) == []


def test_other_fields_are_kept() -> None:
    line = parse_line('{"level": "warn", "message": "m", "run": "r1"}')
    assert (line.level, line.message, line.fields) == ("warn", "m", (("run", "r1"),))
