from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.gateway.operations.desk import desk


def config(folder: Path) -> str:
    return json.dumps({"agents": {"defaults": {"workspace": str(folder / "ws")}}})


async def test_a_file_is_missing_then_written_listed_and_read(tmp_path: Path) -> None:
    async with desk(tmp_path, config(tmp_path)) as here:
        listed = (await here.ok("agents.files.list", {"agentId": "main"}))["files"]
        assert {row["name"] for row in listed} >= {"AGENTS.md", "HEARTBEAT.md", "MEMORY.md"}
        assert all(row["missing"] for row in listed)
        asked = {"agentId": "MAIN", "name": "SOUL.md"}
        missing = (await here.ok("agents.files.get", asked))["file"]
        assert (missing["missing"], "content" in missing) == (True, False)
        kept = (await here.ok("agents.files.set", {**asked, "content": "Be kind.\n"}))["file"]
        assert (kept["missing"], kept["size"], kept["content"]) == (False, 9, "Be kind.\n")
        assert (await here.ok("agents.files.get", asked))["file"]["content"] == "Be kind.\n"
        assert (tmp_path / "ws" / "SOUL.md").read_text() == "Be kind.\n"


@pytest.mark.parametrize("name", ["../homarus.json", "notes.md", "soul.md", "/etc/passwd", "SOUL.md\0"])
async def test_other_files_are_refused(tmp_path: Path, name: str) -> None:
    async with desk(tmp_path, config(tmp_path)) as here:
        for method, more in (("agents.files.get", {}), ("agents.files.set", {"content": "x"})):
            refusal = await here.refusal(method, {"agentId": "main", "name": name, **more})
            assert refusal.startswith("unsupported file")


@pytest.mark.parametrize("kind", ["symbolic", "hard", "pipe"])
async def test_links_and_odd_files_are_neither_read_nor_written(tmp_path: Path, kind: str) -> None:
    secret, place = tmp_path / "secret", tmp_path / "ws" / "USER.md"
    secret.write_text("mine")
    place.parent.mkdir()
    if kind == "symbolic":
        place.symlink_to(secret)
    elif kind == "hard":
        os.link(secret, place)
    else:
        os.mkfifo(place)
    async with desk(tmp_path, config(tmp_path)) as here:
        asked = {"agentId": "main", "name": "USER.md"}
        assert "unsafe workspace file" in await here.refusal("agents.files.get", asked)
        assert "unsafe workspace file" in await here.refusal("agents.files.set", {**asked, "content": "x"})
        listed = (await here.ok("agents.files.list", {"agentId": "main"}))["files"]
        assert {each["name"] for each in listed if each["missing"]} >= {"USER.md"}
    assert secret.read_text() == "mine"


async def test_an_unknown_agent_is_named(tmp_path: Path) -> None:
    async with desk(tmp_path, config(tmp_path)) as here:
        assert "nobody" in await here.refusal("agents.files.list", {"agentId": "nobody"})
