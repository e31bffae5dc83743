"""Removing characters that steer terminals, clients and protocols instead of being read."""

from __future__ import annotations

import re

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff]")
_LINE_ENDS = re.compile("\r\n?")


def strip_controls(text: str) -> str:
    """Return text with line ends as newlines and without control characters, byte order marks and lone surrogates."""
    return _CONTROLS.sub("", _LINE_ENDS.sub("\n", text))
