from __future__ import annotations

from pathlib import Path

from homarus.agent.skills.eligibility import Surroundings, check
from homarus.agent.skills.listing import render_skills
from homarus.agent.skills.seeding import seed_workspace
from homarus.agent.skills.shelf import MAX_BYTES, SkillShelf

HEAD = "---\nname: {name}\ndescription: {text}\n---\n"


def put(workspace: Path, root: str, name: str, text: str = "does something") -> Path:
    folder = workspace / root / name
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text(HEAD.format(name=name, text=text))
    return folder


def test_the_workspace_folder_wins_over_the_shared_one(tmp_path: Path) -> None:
    put(tmp_path, ".agents/skills", "one", "old")
    put(tmp_path, "skills", "one", "new")
    put(tmp_path, "skills", "another")
    found = SkillShelf().skills(tmp_path)
    assert [(skill.name, skill.description) for skill in found] == [("another", "does something"), ("one", "new")]


def test_links_and_large_files_are_left_out(tmp_path: Path) -> None:
    outside, workspace = tmp_path / "outside", tmp_path / "workspace"
    put(outside, "skills", "secret")
    (workspace / "skills").mkdir(parents=True)
    (workspace / "skills/secret").symlink_to(outside / "skills/secret")
    (workspace / "skills/linked").mkdir()
    (workspace / "skills/linked/SKILL.md").symlink_to(outside / "skills/secret/SKILL.md")
    large = put(workspace, "skills", "large")
    (large / "SKILL.md").write_text(HEAD.format(name="large", text="x") + "y" * MAX_BYTES)
    (workspace / ".agents").symlink_to(outside)
    assert SkillShelf().skills(workspace) == ()


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    shelf, folder = SkillShelf(), put(tmp_path, "skills", "one", "old")
    assert shelf.skills(tmp_path)[0].description == "old"
    (folder / "SKILL.md").write_text(HEAD.format(name="one", text="a new text"))
    assert shelf.skills(tmp_path)[0].description == "a new text"


def test_the_list_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        put(tmp_path, "skills", name)
    first, second = (render_skills(SkillShelf().skills(tmp_path)) for _ in range(2))
    assert first == second
    assert "- a: does something (skills/a/SKILL.md)" in first
    assert render_skills(()) == ""


def test_what_is_missing_and_switched_off_is_told(tmp_path: Path) -> None:
    folder = put(tmp_path, "skills", "one")
    needs = '{"homarus": {"requires": {"bins": ["nope"], "env": ["KEY"], "config": ["talk.on"]}, "primaryEnv": "KEY"}}'
    (folder / "SKILL.md").write_text(f"---\nname: one\ndescription: x\nmetadata: {needs}\n---\n")
    skill = SkillShelf().skills(tmp_path)[0]
    bare = check(skill, Surroundings({}, {}, {}, which=lambda _name: None))
    assert (bare.missing.bins, bare.missing.env, bare.missing.config) == (("nope",), ("KEY",), ("talk.on",))
    section = {"entries": {"one": {"apiKey": "k", "enabled": False}}}
    given = check(skill, Surroundings(section, {"talk": {"on": True}}, {}, which=lambda name: name))
    assert given.is_disabled
    assert not given.is_eligible
    assert given.missing.env == given.missing.bins == given.missing.config == ()


def test_a_new_workspace_is_seeded_once_and_a_deleted_file_stays_deleted(tmp_path: Path) -> None:
    seed_workspace(tmp_path)
    assert [skill.name for skill in SkillShelf().skills(tmp_path)] == ["skill-writer"]
    (tmp_path / "AGENTS.md").unlink()
    seed_workspace(tmp_path)
    assert not (tmp_path / "AGENTS.md").exists()


def test_a_workspace_in_use_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("mine")
    seed_workspace(tmp_path)
    assert not (tmp_path / "AGENTS.md").exists()
    assert not (tmp_path / "skills").exists()
