"""`openclaw tui`: one conversation on a terminal."""

from __future__ import annotations

from typing import cast

from conformance.family import Family, check
from conformance.model import HOLD, TOOL_OUTPUT, USE_TOOL
from conformance.pty_program import PtyProgram, on_terminal
from conformance.stage import TOKEN


class Terminal(Family):
    """The program is started once and typed into."""

    title = "terminal UI"
    screen = cast("PtyProgram", None)

    @check("start and connect")
    async def start(self) -> str:
        """It says that it is connected."""
        arguments = ("tui", "--url", self.stage.ours.url, "--token", TOKEN, "--session", "terminal")
        env = self.stage.openclaw_env("terminal")
        self.screen = await self.stack.enter_async_context(on_terminal(self.stage.openclaw(*arguments), env))
        await self.screen.wait_for("connected")
        return "connected"

    @check("one message")
    async def message(self) -> str:
        """An answer is shown."""
        await self._say("hello terminal", "echo: ")
        return "the answer was shown"

    @check("a tool call")
    async def tool(self) -> str:
        """The answer after a tool is shown."""
        await self._say(USE_TOOL, f"the tool said: {TOOL_OUTPUT}"[:24])
        return "the answer after the tool was shown"

    @check("abort")
    async def abort(self) -> str:
        """Escape ends a run that would not end."""
        at = await self._say(HOLD, "one")
        self.screen.type("\x1b")
        await self.screen.wait_for("abort", at)
        return "aborted with Escape"

    async def _say(self, text: str, answer: str) -> int:
        at = len(self.screen.seen)
        self.screen.type(text)
        await self.screen.wait_for(text.rpartition(" ")[2], at)
        at = len(self.screen.seen)
        self.screen.type("\r")
        return await self.screen.wait_for(answer, at)
