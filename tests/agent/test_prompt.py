from __future__ import annotations

from pathlib import Path

from homarus.agent.prompt import MAX_FILE_CHARS, MAX_TOTAL_CHARS, PromptSource, read_prompt_files, render_prompt


def source(extra: str = "") -> PromptSource:
    return PromptSource("Homarus", Path("/w/workspace"), "UTC", extra)


def test_the_prompt_is_the_same_byte_for_byte_from_turn_to_turn(tmp_path: Path) -> None:
    (tmp_path / "USER.md").write_text("Likes tea.")
    first = render_prompt(source(), read_prompt_files(tmp_path))
    assert first == render_prompt(source(), read_prompt_files(tmp_path))
    assert "Likes tea." in first


def test_an_empty_workspace_keeps_the_prompt_small(tmp_path: Path) -> None:
    assert len(render_prompt(source(), read_prompt_files(tmp_path)).encode()) < 2_000


def test_long_files_are_cut_in_the_middle_and_all_together_are_bounded() -> None:
    names: list[str] = ["AGENTS.md", "SOUL.md", "IDENTITY.md", "USER.md", "TOOLS.md"]
    files = dict.fromkeys(names, "x" * 50_000)
    prompt = render_prompt(source(), files)
    assert "characters left out" in prompt
    assert len(prompt) < MAX_TOTAL_CHARS + 4_000
    assert len(render_prompt(source(), {"USER.md": "x" * 50_000})) < MAX_FILE_CHARS + 4_000


def test_a_link_out_of_the_workspace_is_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary")
    workspace = tmp_path / "w"
    workspace.mkdir()
    (workspace / "USER.md").symlink_to(secret)
    assert read_prompt_files(workspace) == {}


def test_trusted_extra_text_comes_last() -> None:
    assert render_prompt(source("This is a group chat."), {}).endswith("This is a group chat.")
