from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.operations.desk import desk

BINDING = {"agentId": "garden", "match": {"channel": "irc"}}


def written(folder: Path) -> Any:
    return json.loads((folder / "homarus.json").read_text())


async def test_an_agent_is_made_changed_and_removed_with_its_bindings(tmp_path: Path) -> None:
    workspace = tmp_path / "garden-ws"
    async with desk(tmp_path) as here:
        made = await here.ok("agents.create", {"name": "Garden ", "workspace": str(workspace), "emoji": "G"})
        assert made == {"ok": True, "agentId": "garden", "name": "Garden", "workspace": str(workspace)}
        assert (workspace / "IDENTITY.md").read_text() == "- Name: Garden\n- Emoji: G\n"
        assert [agent["id"] for agent in written(tmp_path)["agents"]["list"]] == ["main", "garden"]
        changed = {"agentId": "GARDEN", "name": "Park", "model": "mock/mock-1", "avatar": "p.png"}
        assert await here.ok("agents.update", changed) == {"ok": True, "agentId": "garden"}
        entry = written(tmp_path)["agents"]["list"][1]
        assert (entry["name"], entry["model"], entry["identity"]["avatar"]) == ("Park", "mock/mock-1", "p.png")
        (tmp_path / "homarus.json").write_text(json.dumps({**written(tmp_path), "bindings": [BINDING]}))
        gone = await here.ok("agents.delete", {"agentId": "garden"})
        assert gone == {"ok": True, "agentId": "garden", "removedBindings": 1}
        assert (workspace.exists(), written(tmp_path)["bindings"]) == (False, [])
        [trashed] = list((tmp_path / "trash").iterdir())
        assert (trashed / "IDENTITY.md").exists()


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"name": "main", "workspace": "/w"}, '"main" is reserved'),
        ({"name": "!!!", "workspace": "/w"}, "letter or digit"),
        ({"name": "a", "workspace": "relative"}, "absolute path"),
        ({"name": "a", "workspace": "/w\0x"}, "absolute path"),
        ({"name": "a", "workspace": "/dev/null/x"}, "cannot be used"),
        ({"name": "a"}, "workspace"),
    ],
)
async def test_an_agent_that_cannot_be_is_refused(tmp_path: Path, params: dict[str, str], problem: str) -> None:
    async with desk(tmp_path) as here:
        assert problem in await here.refusal("agents.create", params)
    assert written(tmp_path) == {}


async def test_what_is_not_there_or_must_stay_is_not_removed(tmp_path: Path) -> None:
    config = json.dumps({"agents": {"list": [{"id": "boss", "default": True}, {"id": "main"}]}})
    async with desk(tmp_path, config) as here:
        assert await here.refusal("agents.delete", {"agentId": "main"}) == '"main" cannot be deleted'
        assert "is the default agent" in await here.refusal("agents.delete", {"agentId": "boss"})
        assert await here.refusal("agents.delete", {"agentId": "x"}) == 'agent "x" not found'
        assert await here.refusal("agents.update", {"agentId": "x"}) == 'agent "x" not found'
        assert "unknown model" in await here.refusal("agents.update", {"agentId": "boss", "model": "no/such"})


async def test_a_workspace_that_holds_the_state_is_left_alone(tmp_path: Path) -> None:
    agents = [{"id": "main", "default": True}, {"id": "greedy", "workspace": str(tmp_path)}]
    async with desk(tmp_path, json.dumps({"agents": {"list": agents}})) as here:
        await here.ok("agents.delete", {"agentId": "greedy"})
    assert (tmp_path / "homarus.db").exists()


async def test_a_linked_identity_file_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "ws").mkdir()
    (tmp_path / "secret").write_text("mine")
    (tmp_path / "ws" / "IDENTITY.md").symlink_to(tmp_path / "secret")
    async with desk(tmp_path) as here:
        refusal = await here.refusal("agents.create", {"name": "a", "workspace": str(tmp_path / "ws")})
        assert "unsafe workspace file" in refusal
    assert (tmp_path / "secret").read_text() == "mine"
