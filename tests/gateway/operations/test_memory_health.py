from __future__ import annotations

import os
from pathlib import Path

from tests.gateway.operations.desk import desk

from homarus.gateway.operations.memory_health import MAX_DIARY


async def test_memory_says_how_it_is_searched(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        found = await here.ok("doctor.memory.status")
        assert (found["agentId"], found["embedding"]["ok"]) == ("main", False)


async def test_the_diary_of_dreams_is_shown_from_its_end(tmp_path: Path) -> None:
    workspace = tmp_path / "ws"
    workspace.mkdir()
    config = f'{{"agents": {{"defaults": {{"workspace": "{workspace}"}}}}}}'
    async with desk(tmp_path, config) as here:
        missing = await here.ok("doctor.memory.dreamDiary")
        assert missing == {"agentId": "main", "found": False, "path": str(workspace / "DREAMS.md")}
        (tmp_path / "secret").write_text("not for anybody")
        (workspace / "DREAMS.md").symlink_to(tmp_path / "secret")
        assert (await here.ok("doctor.memory.dreamDiary"))["found"] is False
        (workspace / "DREAMS.md").unlink()
        os.mkfifo(workspace / "DREAMS.md")
        assert (await here.ok("doctor.memory.dreamDiary"))["found"] is False
        (workspace / "DREAMS.md").unlink()
        (workspace / "dreams.md").write_text("x" * MAX_DIARY + "the end")
        found = await here.ok("doctor.memory.dreamDiary")
        assert (found["found"], len(found["content"]), found["content"][-7:]) == (True, MAX_DIARY, "the end")
        assert found["updatedAtMs"] > 1_600_000_000_000
