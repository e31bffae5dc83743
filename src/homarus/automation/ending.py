"""Waiting for a turn that automation began."""

from __future__ import annotations

from homarus.pipeline.contract import RunOutcome, Runs

CHECK_SECONDS = 60.0
"""How often a turn that says nothing is looked after."""


async def wait_for_end(runs: Runs, run_id: str) -> RunOutcome | None:
    """Wait for the end of a turn; None when it was taken out of its queue. A turn has its own time limit."""
    absences = 0
    while absences < 2:
        ended = await runs.wait(run_id, CHECK_SECONDS)
        if ended is not None:
            return ended
        is_known = any(info.run_id == run_id for info in runs.active())
        absences = 0 if is_known or await runs.outcome(run_id) is not None else absences + 1
    return None
