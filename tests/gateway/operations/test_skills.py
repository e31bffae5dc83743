from __future__ import annotations

import json
from pathlib import Path

from msgspec.structs import replace
from tests.gateway.conftest import Running
from tests.gateway.operations.desk import desk
from tests.gateway.raw_client import connected

from homarus.gateway.agent_skills import AgentSkills
from homarus.gateway.services import Services

SKILL = """---
name: {name}
description: Does {name}.
metadata: {needs}
---
Steps.
"""
NEEDS = {
    "homarus": {"requires": {"bins": ["no-such-program"], "env": ["NO_SUCH_KEY"]}, "primaryEnv": "NO_SUCH_KEY"},
}


def with_skills(services: Services) -> Services:
    return replace(services, skills=AgentSkills(lambda: services.config.current))


def prepared(folder: Path) -> str:
    place = folder / "ws" / "skills" / "report"
    place.mkdir(parents=True)
    (place / "SKILL.md").write_text(SKILL.format(name="report", needs=json.dumps(NEEDS)))
    return json.dumps({"agents": {"defaults": {"workspace": str(folder / "ws")}}})


async def test_a_skill_says_what_it_lacks_and_gets_it_from_the_configuration(tmp_path: Path) -> None:
    async with desk(tmp_path, prepared(tmp_path), with_skills) as here:
        [row] = (await here.ok("skills.status", {}))["skills"]
        assert (row["name"], row["eligible"], row["disabled"]) == ("report", False, False)
        assert (row["missing"]["bins"], row["missing"]["env"]) == (["no-such-program"], ["NO_SUCH_KEY"])
        changed = await here.ok("skills.update", {"skillKey": "report", "apiKey": " k1 ", "env": {"A": "1", "B": ""}})
        assert (changed["ok"], "k1" in json.dumps(changed)) == (True, False)
        entry = json.loads((tmp_path / "homarus.json").read_text())["skills"]["entries"]["report"]
        assert entry == {"apiKey": "k1", "env": {"A": "1"}}
        [row] = (await here.ok("skills.status", {}))["skills"]
        assert row["missing"]["env"] == []
        await here.ok("skills.update", {"skillKey": "report", "apiKey": "", "enabled": False})
        [row] = (await here.ok("skills.status", {"agentId": "main"}))["skills"]
        assert (row["disabled"], row["missing"]["env"]) == (True, ["NO_SUCH_KEY"])


async def test_updates_from_a_registry_and_odd_names_are_refused(tmp_path: Path) -> None:
    async with desk(tmp_path, prepared(tmp_path), with_skills) as here:
        assert "no remote registry" in await here.refusal("skills.update", {"source": "clawhub", "all": True})
        for bad in ({"skillKey": "../x"}, {"skillKey": "a", "env": {"1=2": "x"}}, {"skillKey": "a", "enabled": "no"}):
            assert "invalid skills.update params" in await here.refusal("skills.update", bad)
        assert "nobody" in await here.refusal("skills.status", {"agentId": "nobody"})


async def test_only_nodes_are_told_which_programs_skills_want(gateway: Running) -> None:
    async with connected(gateway.url) as operator:
        refused = await operator.call("skills.bins", {})
        assert refused["error"]["message"] == "unauthorized role: operator"
    client = {"id": "node-host", "version": "9", "platform": "linux", "mode": "node"}
    async with connected(gateway.url, role="node", scopes=[], client=client) as node:
        assert (await node.call("skills.bins", {}))["payload"] == {"bins": []}
