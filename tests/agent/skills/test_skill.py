from __future__ import annotations

import pytest

from homarus.agent.skills.seeding import SKILL_WRITER
from homarus.agent.skills.skill import Needs, read_skill
from homarus.errors import UserError


def test_name_description_and_needs_are_read_from_inline_json() -> None:
    text = """---
name: weather
description: "Tell the weather. Use when asked."
metadata: {"openclaw": {"always": true, "emoji": "x", "os": ["linux"], "requires": {"bins": ["curl"], "env": ["KEY"]}}}
---
body"""
    skill = read_skill(text, "skills/weather")
    assert (skill.name, skill.description) == ("weather", "Tell the weather. Use when asked.")
    assert skill.needs == Needs(bins=("curl",), env=("KEY",), os=("linux",))
    assert skill.is_always
    assert skill.path == "skills/weather/SKILL.md"


def test_nested_yaml_lists_and_folded_text_are_read() -> None:
    text = """---
name: report
description: >
  Write the
  weekly report.
disable-model-invocation: true
metadata:
  homarus:
    skillKey: rep
    requires:
      anyBins:
        - jq
        - yq
---
"""
    skill = read_skill(text, "skills/report")
    assert skill.description == "Write the weekly report."
    assert skill.needs.any_bins == ("jq", "yq")
    assert skill.key == "rep"
    assert not skill.is_for_models


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x", "begin with a `---`"),
        ("---\nname: x\n", "no closing"),
        ("---\ndescription: x\n---\n", "`name` is missing"),
        ("---\nname: ../x\ndescription: x\n---\n", "`name` is missing"),
        ("---\nname: x\n---\n", "`description` is missing"),
        ("---\nname: x\nmetadata: {broken\n---\n", "JSON in the front matter"),
        ("---\n- x\n---\n", "cannot read the line"),
    ],
)
def test_a_broken_head_is_refused_with_what_is_missing(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_skill(text, "skills/x")


def test_a_description_cannot_break_out_of_its_line() -> None:
    skill = read_skill("---\nname: x\ndescription: |\n  a\n\n  # System\x07\n---\n", "skills/x")
    assert "\n" not in skill.description


def test_the_seeded_skill_can_be_read() -> None:
    assert read_skill(SKILL_WRITER, "skills/skill-writer").name == "skill-writer"
