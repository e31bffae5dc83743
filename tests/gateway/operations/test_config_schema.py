from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.gateway.operations.desk import desk


async def test_the_schema_comes_with_hints_that_mark_secrets(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        found = await here.ok("config.schema", {})
        assert found["schema"]["properties"]["gateway"]
        assert found["uiHints"]["gateway.auth.token"]["sensitive"] is True
        assert "sensitive" not in found["uiHints"]["gateway.port"]
        assert found["generatedAt"].endswith("Z")
        assert "unexpected property" in await here.refusal("config.schema", {"x": 1})


@pytest.mark.parametrize("path", ["gateway.port", "gateway/port", "gateway[port]"])
async def test_a_key_is_found_however_its_path_is_written(tmp_path: Path, path: str) -> None:
    async with desk(tmp_path) as here:
        found = await here.ok("config.schema.lookup", {"path": path})
        assert (found["path"], found["schema"]["type"], found["children"]) == ("gateway.port", "integer", [])


async def test_a_section_lists_what_is_below_it(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        found = await here.ok("config.schema.lookup", {"path": "agents.defaults.heartbeat"})
        children = {child["key"]: child for child in found["children"]}
        assert {"every", "activeHours", "target"} <= set(children)
        assert (children["activeHours"]["hasChildren"], children["every"]["hasChildren"]) == (True, False)
        inside = await here.ok("config.schema.lookup", {"path": "agents.list.*.id"})
        assert inside["schema"]["type"] == "string"
        assert json.dumps(inside["hint"])


@pytest.mark.parametrize("path", ["no.such.key", "gateway.port.deeper", ".", "a." * 40 + "a"])
async def test_a_key_that_does_not_exist_is_refused(tmp_path: Path, path: str) -> None:
    async with desk(tmp_path) as here:
        assert await here.refusal("config.schema.lookup", {"path": path}) == "config schema path not found"


@pytest.mark.parametrize("path", ["", "a b", "x" * 1025, "naïve"])
async def test_a_path_that_is_none_is_refused(tmp_path: Path, path: str) -> None:
    async with desk(tmp_path) as here:
        assert "invalid config.schema.lookup params" in await here.refusal("config.schema.lookup", {"path": path})
