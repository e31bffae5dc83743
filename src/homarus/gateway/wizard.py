"""Setting up by questions over a connection: one run at a time, each question a step that a client shows.

What is asked is not known here: a flow is given at composition and asks through `Asker`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal

from msgspec import Struct

from homarus.clock import Clock
from homarus.errors import HomarusError, UserError
from homarus.protocol.frames import JsonObject

log = logging.getLogger("homarus.gateway.wizard")

IDLE_SECONDS: Final = 900.0
"""How long a question waits for its answer before the run is given up."""
MAX_TRIES: Final = 20
"""Wrong answers to one question."""
Status = Literal["running", "done", "cancelled", "error"]
Kind = Literal["note", "select", "text", "confirm"]


class Choice(Struct, frozen=True):
    """An option of a question."""

    value: str
    label: str
    hint: str = ""

    def shown(self) -> JsonObject:
        """Return it as clients see it."""
        row: JsonObject = {"value": self.value, "label": self.label}
        return row | ({"hint": self.hint} if self.hint else {})


class Asker:
    """Asks questions one after the other; each waits for its answer."""

    def __init__(self, run: WizardRun) -> None:
        self._run = run

    async def note(self, title: str, message: str) -> None:
        """Show something; the answer only says that it was read."""
        await self._run.ask({"type": "note", "title": title, "message": message})

    async def select(self, message: str, options: Sequence[Choice], initial: str) -> str:
        """Return the value of the chosen option."""
        values = [each.value for each in options]

        def check(value: object) -> str | None:
            return None if value in values else "choose one of the options"

        step: JsonObject = {"type": "select", "message": message, "initialValue": initial}
        return str(await self._run.ask(step | {"options": [each.shown() for each in options]}, check))

    async def text(
        self,
        message: str,
        initial: str = "",
        *,
        is_secret: bool = False,
        check: Callable[[str], object] | None = None,
    ) -> str:
        """Return a text, the initial one for an empty answer. `check` raises HomarusError for one that is wrong."""

        def judge(value: object) -> str | None:
            if not isinstance(value, str | None) or len(value or "") > 4096:
                return "answer with a text"
            try:
                if check is not None:
                    check((value or "").strip() or initial)
            except HomarusError as error:
                return error.message + (f" ({error.fix})" if error.fix else "")
            return None

        step: JsonObject = {"type": "text", "message": message, "initialValue": "" if is_secret else initial}
        found = await self._run.ask(step | ({"sensitive": True} if is_secret else {}), judge)
        return str(found or "").strip() or initial

    async def confirm(self, message: str, *, initial: bool) -> bool:
        """Return whether the answer is yes."""

        def check(value: object) -> str | None:
            return None if isinstance(value, bool | None) else "answer with true or false"

        found = await self._run.ask({"type": "confirm", "message": message, "initialValue": initial}, check)
        return initial if found is None else found is True


Flow = Callable[[Asker], Awaitable[None]]


class WizardRun:
    """One run of a flow."""

    def __init__(self, run_id: str, flow: Flow, clock: Clock, on_done: Callable[[], Awaitable[object]]) -> None:
        self.id = run_id
        self.status: Status = "running"
        self.error: str | None = None
        self._clock = clock
        self._on_done = on_done
        self._step: JsonObject | None = None
        self._answer: asyncio.Future[object] | None = None
        self._changed = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._follow(flow), name=f"wizard {run_id}")

    async def ask(self, step: JsonObject, check: Callable[[object], str | None] | None = None) -> object:
        """Show a step and wait for its answer, again after each that is wrong. Raises UserError when nobody answers."""
        asked = step
        for _ in range(MAX_TRIES):
            self._answer = asyncio.get_running_loop().create_future()
            self._step = {"id": self._clock.uuid(), "executor": "gateway", **asked}
            self._changed.set()
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    value = await self._answer
            except TimeoutError:
                raise UserError("nobody answered; nothing was changed", fix="start again") from None
            problem = check(value) if check is not None else None
            if problem is None:
                return value
            asked = {**step, "message": f"{problem}\n{step.get('message') or ''}".strip()}
        raise UserError("too many wrong answers; nothing was changed", fix="start again")

    def answer(self, step_id: str, value: object) -> bool:
        """Take the answer to the step that waits; False when another or none does."""
        step, waiting = self._step, self._answer
        if step is None or waiting is None or waiting.done() or step["id"] != step_id:
            return False
        self._step = None
        self._changed.clear()
        waiting.set_result(value)
        return True

    async def next(self) -> JsonObject:
        """Wait for the next step or the end, and return how it stands (WizardNextResult)."""
        await self._changed.wait()
        found: JsonObject = {"done": self.status != "running", "status": self.status}
        if self._step is not None:
            found["step"] = self._step
        return found | ({"error": self.error} if self.error else {})

    def cancel(self) -> None:
        """Give the run up; nothing is written."""
        self._task.cancel()

    async def ended(self) -> None:
        """Wait for the end."""
        await asyncio.wait((self._task,))

    async def _follow(self, flow: Flow) -> None:
        try:
            await flow(Asker(self))
            await self._on_done()
            self.status = "done"
        except asyncio.CancelledError:
            self.status = "cancelled"
        except HomarusError as error:
            self.status, self.error = "error", error.message + (f" ({error.fix})" if error.fix else "")
        except OSError as error:
            log.warning("wizard %s failed: %s", self.id, error)
            self.status, self.error = "error", f"a file could not be read or written: {error.strerror or error}"
        except Exception:
            # A flow comes from outside, and this is the root of its task: its client would wait for ever.
            log.exception("wizard %s broke", self.id)
            self.status, self.error = "error", "an internal error; see the log"
        finally:
            self._step = None
            self._changed.set()


class Wizards:
    """The one run there may be, and the last one that ended. `on_done` takes over what a run has written."""

    def __init__(
        self, clock: Clock, flow: Callable[[str | None], Flow] | None, on_done: Callable[[], Awaitable[object]]
    ) -> None:
        self._clock = clock
        self._flow = flow
        self._on_done = on_done
        self._current: WizardRun | None = None

    @property
    def is_there(self) -> bool:
        """Tell whether there is anything to ask."""
        return self._flow is not None

    def start(self, workspace: str | None) -> WizardRun | None:
        """Begin a run; None while another goes on. `workspace` is the folder that was named, if any."""
        if self._current is not None and self._current.status == "running":
            return None
        if self._flow is None:
            raise UserError("this gateway has no wizard", fix="type `homarus onboard` on its machine")
        self._current = WizardRun(self._clock.uuid(), self._flow(workspace), self._clock, self._on_done)
        return self._current

    def find(self, run_id: str) -> WizardRun | None:
        """Return a run by its id."""
        return self._current if self._current is not None and self._current.id == run_id else None

    async def stop(self) -> None:
        """End a run that goes on."""
        if self._current is not None and self._current.status == "running":
            self._current.cancel()
            await self._current.ended()
