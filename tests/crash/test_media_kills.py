"""A gateway dies by SIGKILL at every step that a file passes on its way out: it comes once, or again with a word."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Final, cast

import pytest
from tests.crash.history import open_history
from tests.e2e.process import gateway, write_config

from homarus.cli.main import FAILPOINT
from homarus.failpoints import Failpoint
from homarus.pipeline.outbox import NOTICE
from homarus.testing.model_server import JsonObject, ModelServer, Reply, Say
from homarus.testing.telegram.people import INES, People
from homarus.testing.telegram.server import TelegramServer

pytestmark = pytest.mark.crash

PATIENCE = 45.0
PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)
TEXT, PHOTO, AGAIN = ("sendMessage", "here it is"), ("sendPhoto", "look"), ("sendPhoto", f"{NOTICE}look")
CASES: Final = {
    # The copy is kept, and nothing says so yet: the call is made again.
    f"{Failpoint.TOOL_BEFORE_RUN}:1": [TEXT, PHOTO],
    f"{Failpoint.TOOL_AFTER_RUN}:1": [TEXT, PHOTO],
    f"{Failpoint.TOOL_AFTER_COMMIT}:1": [TEXT, PHOTO],
    f"{Failpoint.RUN_BEFORE_FINISH}:1": [TEXT, PHOTO],
    f"{Failpoint.RUN_AFTER_FINISH}:1": [TEXT, PHOTO],
    # The second part is the file.
    f"{Failpoint.OUTBOX_BEFORE_ATTEMPT}:2": [TEXT, PHOTO],
    f"{Failpoint.OUTBOX_AFTER_ATTEMPT_COMMIT}:2": [TEXT, AGAIN],
    f"{Failpoint.OUTBOX_AFTER_SEND}:2": [TEXT, PHOTO, AGAIN],
    f"{Failpoint.OUTBOX_AFTER_RECEIPT}:2": [TEXT, PHOTO],
}


def answer(body: JsonObject) -> Reply:
    last = cast("list[JsonObject]", body["messages"])[-1]
    if last["role"] == "tool":
        return Say("here it is")
    return Say(calls=(("send_file", json.dumps({"path": "chart.png", "caption": "look"})),))


@pytest.mark.parametrize("point", CASES)
async def test_a_file_arrives_once_or_again_with_a_word(point: str, tmp_path: Path) -> None:
    async with TelegramServer() as server, ModelServer(answer=answer) as model:
        people, home = People(server), tmp_path / "home"
        write_config(home, _config(server, model))
        chart = home / "workspace" / "chart.png"
        chart.parent.mkdir()
        chart.write_bytes(PNG)
        people.say(INES, "draw token-1")
        async with gateway(home, {FAILPOINT: point}) as doomed, asyncio.timeout(PATIENCE):
            assert await doomed.process.wait() == -signal.SIGKILL
        if not point.startswith("tool."):
            chart.unlink()  # what goes out is the copy
        async with gateway(home), open_history(None, home) as history, asyncio.timeout(PATIENCE):
            await history.until_ended(["token-1"])
            [message] = await history.messages()
        assert message.state == "delivered"
        assert [(sent.method, sent.text) for sent in server.sent] == CASES[point]
        assert all(sent.data == PNG for sent in server.sent if sent.method == "sendPhoto")


def _config(server: TelegramServer, model: ModelServer) -> dict[str, object]:
    provider = {"baseUrl": model.base_url, "apiKey": "none", "api": "openai-completions",
                "models": [{"id": "mock", "name": "Mock"}]}  # fmt: skip
    telegram = {"botToken": server.bot.token, "apiRoot": server.root, "dmPolicy": "allowlist",
                "allowFrom": [INES.id], "streaming": "off"}  # fmt: skip
    return {
        "models": {"providers": {"mock": provider}},
        "agents": {"defaults": {"model": "mock/mock"}},
        "messages": {"queue": {"debounceMs": 0}},
        "channels": {"telegram": telegram},
    }
