"""Named places at which a crash test may end the process, one at every step of the message journal.

A failpoint does nothing unless `arm` was called, which only `homarus.cli` does, when HOMARUS_FAILPOINT is set to
`name` or `name:n` (end the process with SIGKILL at the n-th pass, counted from 1).
"""

from __future__ import annotations

import os
import signal
from enum import StrEnum


class Failpoint(StrEnum):
    """Every journal step, named `<stage>.<before|after>_<what>`."""

    INBOX_BEFORE_COMMIT = "inbox.before_commit"
    INBOX_AFTER_COMMIT = "inbox.after_commit"
    RUN_BEFORE_START = "run.before_start"
    RUN_AFTER_START = "run.after_start"
    MODEL_BEFORE_REQUEST = "model.before_request"
    MODEL_AFTER_RESPONSE = "model.after_response"
    STEP_AFTER_COMMIT = "step.after_commit"
    TOOL_BEFORE_RUN = "tool.before_run"
    TOOL_AFTER_RUN = "tool.after_run"
    TOOL_AFTER_COMMIT = "tool.after_commit"
    RUN_BEFORE_FINISH = "run.before_finish"
    RUN_AFTER_FINISH = "run.after_finish"
    OUTBOX_BEFORE_ATTEMPT = "outbox.before_attempt"
    OUTBOX_AFTER_ATTEMPT_COMMIT = "outbox.after_attempt_commit"
    OUTBOX_AFTER_SEND = "outbox.after_send"
    OUTBOX_AFTER_RECEIPT = "outbox.after_receipt"


_armed: dict[Failpoint, int] = {}


def arm(spec: str) -> None:
    """Arm one failpoint from `name` or `name:n`. Raises ValueError for a name that does not exist."""
    name, _, count = spec.partition(":")
    _armed[Failpoint(name)] = int(count or "1")


def hit(point: Failpoint) -> None:
    """Pass a journal step; ends the process with SIGKILL when this is the armed pass."""
    if not _armed or point not in _armed:
        return
    _armed[point] -= 1
    if _armed[point] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
