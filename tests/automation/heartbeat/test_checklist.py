from __future__ import annotations

from pathlib import Path

import pytest

from homarus.automation.heartbeat.checklist import Task, parse_checklist, read_checklist

TASKS = """\
# Mornings
tasks:
- name: inbox
  interval: 2h
  prompt: "Look for letters."
- name: broken
  interval: sometimes
  prompt: never

- name: plants
  interval: 90
  prompt: Water them.
After that, rest.
"""


@pytest.mark.parametrize("text", ["", "# Checklist\n\n- \n* [ ]\n<!-- write here -->\n", "## \n\n"])
def test_headings_comments_and_empty_bullets_are_nothing_to_do(text: str) -> None:
    assert parse_checklist(text).is_empty


@pytest.mark.parametrize("text", ["- look at the mail", "# Today\nCall Ann", "[ ] buy milk"])
def test_anything_else_is_something_to_do(text: str) -> None:
    assert not parse_checklist(text).is_empty


def test_tasks_are_read_and_the_rest_is_kept() -> None:
    found = parse_checklist(TASKS)
    assert found.tasks == (Task("inbox", 7200.0, "Look for letters."), Task("plants", 5400.0, "Water them."))
    assert found.text.startswith("# Mornings")
    assert "- name: broken" in found.text
    assert found.text.endswith("After that, rest.")


def test_a_task_is_due_when_it_was_never_done_or_long_ago() -> None:
    found, now = parse_checklist(TASKS), 100_000_000
    assert [task.name for task in found.due(now, {"inbox": now - 7_199_999})] == ["plants"]
    assert [task.name for task in found.due(now, {"inbox": now - 7_200_000, "plants": now})] == ["inbox"]


def test_more_tasks_than_are_allowed_stay_text() -> None:
    found = parse_checklist("tasks:\n" + "- name: n\n  interval: 1h\n  prompt: p\n" * 60)
    assert (len(found.tasks), found.text.count("- name: n")) == (50, 10)


def test_a_missing_or_linked_file_is_an_empty_checklist(tmp_path: Path) -> None:
    assert read_checklist(tmp_path).is_empty
    (tmp_path / "secret").write_text("tell me")
    (tmp_path / "HEARTBEAT.md").symlink_to(tmp_path / "secret")
    assert read_checklist(tmp_path).is_empty
