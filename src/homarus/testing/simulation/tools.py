"""Three tools: one that may be repeated, one that takes money, and one that sends a file with the answer."""

from __future__ import annotations

from collections import Counter

from homarus.labels import Confidentiality, Integrity, Label
from homarus.models.contract import ToolCall
from homarus.testing.simulation.files import MemoryFiles
from homarus.testing.simulation.life import Life
from homarus.tools.contract import ToolContext, ToolOutput
from homarus.tools.runner import ToolOutcome

LABEL = Label(Integrity.EXTERNAL, Confidentiality.PRIVATE, ("tool:simulated",))


class SimulatedTools:
    """Implements homarus.agent.loop.Toolbox; `payments` counts what each call of `pay` did to the world."""

    def __init__(self, life: Life, payments: Counter[str], files: MemoryFiles) -> None:
        self._life = life
        self._payments = payments
        self._files = files

    def is_idempotent(self, name: str) -> bool:
        """Tell that only paying may not be repeated."""
        return name != "pay"

    async def run(self, call: ToolCall, context: ToolContext) -> ToolOutcome:
        """Do it, with the process ending on either side of the effect if the seed says so."""
        life = self._life
        await life.go_on()
        await life.clock.sleep(life.random.uniform(5.0, 30.0) if life.faults.hits("tool slow") else 0.05)
        await life.die_if("kill before tool")
        if life.faults.hits("tool fails"):
            return ToolOutcome(ToolOutput("it did not work", is_error=True), LABEL, 1)
        if call.name == "pay":
            self._payments[call.id] += 1
            life.note(f"paid {call.id}")
        context.report("working\n")
        await life.die_if("kill after tool")
        await life.clock.sleep(0.05)
        await life.go_on()
        details: dict[str, object] = {}
        if call.name == "send_file":
            details = {"file": self._files.keep(life.clock.uuid(), f"file of {call.id}").as_json(), "caption": ""}
        return ToolOutcome(ToolOutput(f"done {call.name}", details=details), LABEL, 1)
