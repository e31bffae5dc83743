"""OpenClaw's Control UI, from a web server of our own, in headless Chromium on our gateway."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, cast

from aiohttp import web

from conformance import command
from conformance.family import Family, check
from conformance.model import HOLD, TOOL_OUTPUT, USE_TOOL
from conformance.releases import install_browser_driver
from conformance.report import Mismatch
from conformance.stage import TOKEN

SCRIPT: Final = Path(__file__).resolve().parents[1] / "control_ui.mjs"
PATIENCE: Final = 280.0
SETTLE_MS: Final = 2500
"""How long a page gets to make its calls and to show what they answered."""
TABS: Final = {
    3: "/overview /channels /instances /sessions /usage /cron /agents /skills /nodes /dreaming /config /communications "
    "/appearance /automation /infrastructure /ai-agents /debug /logs /chat",
    4: "/sessions /usage /automations /tasks /activity /agents /skills /plugins /logs /debug /systems "
    "/settings/connection /settings/channels /settings/agents /settings/ai-agents "
    "/settings/model-providers /settings/approvals /settings/devices /settings/memory /settings/mcp "
    "/settings/security /settings/secrets /settings/communications /settings/automation /settings/infrastructure "
    "/settings/appearance /settings/notifications /settings/advanced /settings/about /chat",
}
"""The pages by protocol version."""


class ControlUi(Family):
    """One browser does everything; the checks are what it reports."""

    title = "Control UI"
    found = cast("dict[str, dict[str, Any]]", None)

    @check("load")
    async def load(self) -> str:
        """It connects and shows a conversation."""
        self.found = {each["check"]: each for each in await self._browse()}
        return self._result("load")

    @check("chat")
    async def chat(self) -> str:
        """An answer is shown."""
        return self._result("chat")

    @check("chat with a tool call")
    async def tool(self) -> str:
        """The answer after a tool is shown."""
        return self._result("chat with a tool call")

    @check("abort")
    async def abort(self) -> str:
        """A run that would not end is stopped, and the next one answered."""
        return self._result("abort")

    @check("reload")
    async def reload(self) -> str:
        """The conversation comes back."""
        return self._result("reload")

    @check("every tab opens without an error")
    async def tabs(self) -> str:
        """No page shows an error, throws, or has a call refused."""
        return self._result("every tab opens without an error")

    def _result(self, name: str) -> str:
        found = (self.found or {}).get(name, {"ok": False, "seen": "the browser did not get so far"})
        if not found["ok"]:
            raise Mismatch(str(found["seen"]))
        return str(found["seen"])

    async def _browse(self) -> list[dict[str, Any]]:
        async with served(self.stage.package / "dist" / "control-ui") as page:
            options = {
                "driver": str(install_browser_driver(self.stage.node)),
                "chromium": chromium(),
                "page": page,
                "gateway": self.stage.ours.url,
                "token": TOKEN,
                "shots": str(self.stage.shots),
                "tabs": TABS[self.stage.release.protocol].split(),
                "tool": USE_TOOL,
                "toolOutput": TOOL_OUTPUT,
                "hold": HOLD,
                "settle": SETTLE_MS,
            }
            env = command.environment({"HOME": str(self.stage.scratch)}, first_on_path=self.stage.node.bin)
            script = [self.stage.node.binary, str(SCRIPT), json.dumps(options)]
            done = await command.run(script, env, timeout=PATIENCE)
        return [json.loads(line) for line in done.text().splitlines()]


def chromium() -> str:
    """Return the browser. Raises Mismatch when there is none."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        raise Mismatch("no Chromium. Debian and Ubuntu: sudo apt-get install chromium")
    return found


@asynccontextmanager
async def served(folder: Path) -> AsyncGenerator[str]:
    """Serve a built page on loopback until the block ends; paths that are no file get the page itself."""

    async def answer(request: web.Request) -> web.StreamResponse:
        path = (folder / request.match_info["path"]).resolve()
        if path.is_file() and path.is_relative_to(folder.resolve()):
            return web.FileResponse(path)
        if "." in path.name:
            raise web.HTTPNotFound
        text = (folder / "index.html").read_text(encoding="utf-8")
        return web.Response(text=text.replace('"./', '"/'), content_type="text/html")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
