from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.gateway.operations.desk import Desk, desk

SKILL = "---\nname: {name}\ndescription: {description}\n---\nDo it.\n"


def put(root: Path, slug: str, description: str = "Reports about the weather.", name: str | None = None) -> Path:
    folder = root / slug
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "SKILL.md").write_text(SKILL.format(name=name or slug, description=description))
    return folder


def config(folder: Path) -> str:
    agents = {"defaults": {"workspace": str(folder / "ws")}}
    return json.dumps({"agents": agents, "skills": {"load": {"extraDirs": [str(folder / "more"), "~/no-such-dir"]}}})


async def slugs(here: Desk, **params: object) -> list[str]:
    return [row["slug"] for row in (await here.ok("skills.search", params))["results"]]


async def test_skills_are_found_by_their_words_the_best_first(tmp_path: Path) -> None:
    put(tmp_path / "skills", "weather")
    put(tmp_path / "more", "sailing", "Plans trips; asks for the weather first.")
    put(tmp_path / "more", "cooking", "Recipes.")
    async with desk(tmp_path, config(tmp_path)) as here:
        assert await slugs(here) == ["cooking", "sailing", "weather"]
        assert await slugs(here, query="weather") == ["weather", "sailing"]
        assert await slugs(here, query="weather", limit=1) == ["weather"]
        assert await slugs(here, query="chess") == []
        assert "limit" in await here.refusal("skills.search", {"limit": 101})
        found = await here.ok("skills.detail", {"slug": "Sailing"})
        assert (found["skill"]["slug"], found["latestVersion"]["version"]) == ("sailing", "local")
        assert await here.ok("skills.detail", {"slug": "chess"}) == {"skill": None}


async def test_the_own_folder_counts_before_others(tmp_path: Path) -> None:
    put(tmp_path / "more", "weather", "The other one.")
    put(tmp_path / "skills", "weather", "Mine.")
    async with desk(tmp_path, config(tmp_path)) as here:
        assert (await here.ok("skills.detail", {"slug": "weather"}))["skill"]["summary"] == "Mine."


async def test_a_skill_is_copied_into_the_workspace_once(tmp_path: Path) -> None:
    folder = put(tmp_path / "skills", "weather")
    (folder / "scripts").mkdir()
    (folder / "scripts" / "look.sh").write_text("#!/bin/sh\n")
    async with desk(tmp_path, config(tmp_path)) as here:
        wanted = {"source": "clawhub", "slug": "weather"}
        done = await here.ok("skills.install", wanted)
        target = tmp_path / "ws" / "skills" / "weather"
        assert (done["ok"], done["targetDir"]) == (True, str(target))
        assert (target / "scripts" / "look.sh").read_text() == "#!/bin/sh\n"
        assert "already" in await here.refusal("skills.install", wanted)
        (target / "old").write_text("gone")
        await here.ok("skills.install", {**wanted, "force": True})
        assert not (target / "old").exists()
        assert list((tmp_path / "ws" / "skills").iterdir()) == [target]


@pytest.mark.parametrize("kind", ["link", "folder link", "many", "large"])
async def test_a_skill_that_is_no_plain_folder_is_refused(tmp_path: Path, kind: str) -> None:
    folder = put(tmp_path / "skills", "trap")
    if kind == "link":
        (folder / "passwd").symlink_to("/etc/passwd")
    elif kind == "folder link":
        (folder / "etc").symlink_to("/etc")
    elif kind == "many":
        for number in range(201):
            (folder / str(number)).touch()
    else:
        (folder / "big").write_bytes(b"x" * (5 * 1024 * 1024))
    async with desk(tmp_path, config(tmp_path)) as here:
        await here.refusal("skills.install", {"slug": "trap"})
    assert not (tmp_path / "ws" / "skills" / "trap").exists()


async def test_nothing_is_copied_through_a_linked_workspace_folder(tmp_path: Path) -> None:
    put(tmp_path / "skills", "weather")
    (tmp_path / "ws").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "ws" / "skills").symlink_to(tmp_path / "elsewhere")
    async with desk(tmp_path, config(tmp_path)) as here:
        assert "is a link" in await here.refusal("skills.install", {"slug": "weather"})
    assert list((tmp_path / "elsewhere").iterdir()) == []


async def test_programs_and_unknown_skills_are_refused(tmp_path: Path) -> None:
    async with desk(tmp_path, config(tmp_path)) as here:
        assert "installs no programs" in await here.refusal("skills.install", {"name": "jq", "installId": "brew"})
        assert "in the library" in await here.refusal("skills.install", {"slug": "../../etc"})
