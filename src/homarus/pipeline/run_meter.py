"""Counts what runs do, from the events their viewers see."""

from __future__ import annotations

from homarus.agent.events import ToolFinished, TurnAborted, TurnFailed, TurnFinished
from homarus.meter import Meter
from homarus.pipeline.contract import RunEvent

MAX_TOOL_NAME = 64
"""Characters of a tool's name that are kept: a model may invent any name."""


class RunMeter:
    """A listener of runs."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def listen(self, event: RunEvent) -> None:
        """Count one event."""
        match event.event:
            case ToolFinished(name=name, is_error=is_error, duration_ms=duration):
                self._meter.tools.add(name[:MAX_TOOL_NAME], "failure" if is_error else "success")
                self._meter.stages["tools"].observe(duration / 1000)
            case TurnFinished():
                self._meter.runs.add("done")
            case TurnFailed():
                self._meter.runs.add("failed")
            case TurnAborted():
                self._meter.runs.add("aborted")
            case _:
                pass
