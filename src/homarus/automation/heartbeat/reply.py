"""What an agent answered to a heartbeat: that all is well, or something to pass on."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from homarus.pipeline.outbox import is_silent

OK: Final = "HEARTBEAT_OK"
"""The answer that means nothing needs attention."""
RUN_PREFIX: Final = "heartbeat-"
"""How the ids of heartbeats' runs begin."""
_MARKUP = re.compile(r"<[^<>]{1,40}>|&nbsp;|[*`~_]+(?=HEARTBEAT_OK)|(?<=HEARTBEAT_OK)[*`~_]+")
_START = re.compile(rf"\W{{0,4}}{OK}(?!\w)\W{{0,4}}")
_END = re.compile(rf"\W{{0,4}}(?<!\w){OK}\W{{0,4}}$")


class Answer(Struct, frozen=True):
    """`text` is what is left to say; `is_ok` that the token was there and too little else to be told."""

    text: str
    is_ok: bool
    is_empty: bool = False


def read_answer(text: str, ack_chars: int) -> Answer:
    """Judge an answer. The token counts at its start or end; beside it up to `ack_chars` characters are dropped."""
    if is_silent(text):
        return Answer("", is_ok=True, is_empty=True)
    plain = _MARKUP.sub("", text).strip()
    rest = _START.sub("", plain, count=1) if _START.match(plain) else _END.sub("", plain)
    if rest == plain:
        return Answer(text.strip(), is_ok=False)
    return Answer(rest.strip(), is_ok=len(rest.strip()) <= ack_chars)
