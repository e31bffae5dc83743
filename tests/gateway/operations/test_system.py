from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

from msgspec.structs import replace
from tests.gateway.operations.desk import desk

from homarus.gateway.reload import Reloader
from homarus.gateway.services import Services
from homarus.sessions.keys import parse_key


async def test_the_tools_of_a_session_are_listed_for_its_own_agent(tmp_path: Path) -> None:
    config = '{"agents": {"list": [{"id": "main", "default": true}, {"id": "other"}]}}'
    async with desk(tmp_path, config) as here:
        assert "unknown session key" in await here.refusal("tools.effective", {"sessionKey": "main"})
        await here.services.sessions.ensure(parse_key("main"))
        found = await here.ok("tools.effective", {"sessionKey": "main"})
        assert (found["agentId"], found["profile"]) == ("main", "full")
        [group] = found["groups"]
        assert [tool["id"] for tool in group["tools"]] == ["exec"]
        mixed = await here.refusal("tools.effective", {"sessionKey": "main", "agentId": "other"})
        assert "does not match" in mixed
        assert "sessionKey" in await here.refusal("tools.effective", {})


class Broken:
    """What each reload finds, in turn."""

    def __init__(self, *problems: tuple[str, ...]) -> None:
        self._problems = list(problems)

    async def reload(self) -> Broken:
        await asyncio.sleep(0)
        self.problems = self._problems.pop(0)
        return self


async def test_secrets_are_read_again_or_everything_stays(tmp_path: Path) -> None:
    def change(services: Services) -> Services:
        return replace(services, reloader=cast("Reloader", Broken((), ("variable X is not set",))))

    async with desk(tmp_path, change=change) as here:
        assert await here.ok("secrets.reload", {}) == {"ok": True, "warningCount": 0}
        assert await here.refusal("secrets.reload", {}) == "secrets were not reloaded: variable X is not set"
    async with desk(tmp_path / ".") as here:
        assert "cannot reload" in await here.refusal("secrets.reload", {})
