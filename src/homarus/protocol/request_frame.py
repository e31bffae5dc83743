"""The schema of a request frame, used to word what is wrong with one."""

from __future__ import annotations

from typing import Literal

from homarus.protocol.base import NonEmpty, Params
from homarus.protocol.validation import describe_invalid


class RequestFrame(Params):
    """A request; `params` may be any JSON value."""

    type: Literal["req"]
    id: NonEmpty
    method: NonEmpty
    params: object = None


def describe_frame(frame: object) -> str | None:
    """Return what is wrong with a decoded frame, None when nothing is."""
    return describe_invalid(RequestFrame, frame)
