"""What a kill at each failpoint must leave behind, once the gateway has been started again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct
from tests.crash.script import STEPS

from homarus.failpoints import Failpoint

PLAIN: Final = "plain"
MARKED: Final = "marked"


class Scenario(Struct, frozen=True):
    """`passes` a message makes. `replies` that the person sees to the message during which the process died.

    `is_unrun` names the passes after which the command (not idempotent, outcome unknown) is not run at all.
    `is_before_journal`: the message is not journalled yet, so whoever sent it has to send it again.
    """

    passes: int = 1
    replies: tuple[str, ...] = (PLAIN,)
    is_unrun: frozenset[int] = frozenset()
    is_before_journal: bool = False
    is_delivery: bool = False


ONCE: Final = Scenario()
TOOLS: Final = STEPS - 1

SCENARIOS: Final[Mapping[Failpoint, Scenario]] = {
    Failpoint.INBOX_BEFORE_COMMIT: Scenario(is_before_journal=True),
    Failpoint.INBOX_AFTER_COMMIT: ONCE,
    Failpoint.RUN_BEFORE_START: ONCE,
    Failpoint.RUN_AFTER_START: ONCE,
    Failpoint.MODEL_BEFORE_REQUEST: Scenario(passes=STEPS),
    Failpoint.MODEL_AFTER_RESPONSE: Scenario(passes=STEPS),
    Failpoint.STEP_AFTER_COMMIT: Scenario(passes=TOOLS, is_unrun=frozenset({1})),
    Failpoint.TOOL_BEFORE_RUN: Scenario(passes=TOOLS, is_unrun=frozenset({1})),
    Failpoint.TOOL_AFTER_RUN: Scenario(passes=TOOLS),
    Failpoint.TOOL_AFTER_COMMIT: Scenario(passes=TOOLS),
    Failpoint.RUN_BEFORE_FINISH: ONCE,
    Failpoint.RUN_AFTER_FINISH: ONCE,
    Failpoint.OUTBOX_BEFORE_ATTEMPT: Scenario(is_delivery=True),
    # From here to the receipt nobody can know whether the platform has the part: once more, and visibly so.
    Failpoint.OUTBOX_AFTER_ATTEMPT_COMMIT: Scenario(is_delivery=True, replies=(MARKED,)),
    Failpoint.OUTBOX_AFTER_SEND: Scenario(is_delivery=True, replies=(PLAIN, MARKED)),
    Failpoint.OUTBOX_AFTER_RECEIPT: Scenario(is_delivery=True),
}
