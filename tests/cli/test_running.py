from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from homarus.cli.running import NAME, Running, find_running, leave_note, take_note_back

GONE = 2**22 + 1
"""A process id beyond the largest Linux gives out."""


def test_a_running_gateway_is_found_by_its_note(tmp_path: Path) -> None:
    leave_note(tmp_path, Running("http://127.0.0.1:4711", os.getpid()))
    assert find_running(tmp_path) == Running("http://127.0.0.1:4711", os.getpid())
    assert (tmp_path / NAME).stat().st_mode & 0o077 == 0


def test_the_note_goes_with_its_gateway(tmp_path: Path) -> None:
    leave_note(tmp_path, Running("http://127.0.0.1:4711", os.getpid()))
    take_note_back(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_note_of_another_gateway_is_left_alone(tmp_path: Path) -> None:
    leave_note(tmp_path, Running("http://127.0.0.1:4711", GONE))
    take_note_back(tmp_path)
    assert (tmp_path / NAME).exists()


def test_the_note_of_a_killed_gateway_does_not_count(tmp_path: Path) -> None:
    leave_note(tmp_path, Running("http://127.0.0.1:4711", GONE))
    assert find_running(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": 1, "pid": 1}', '{"url": "http://x", "pid": -1}'])
def test_a_damaged_note_does_not_count(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    assert find_running(tmp_path) is None


def test_a_note_is_read_up_to_a_bound(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(json.dumps({"url": "http://x", "pid": os.getpid(), "pad": "x" * 10_000}))
    assert find_running(tmp_path) is None
