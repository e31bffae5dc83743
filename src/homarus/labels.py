"""Labels: where a text came from and who may see it, carried from its first byte.

Joins are monotone: a context that has read something external stays external until a new context begins.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import cast

from msgspec import Struct


class Integrity(IntEnum):
    """How far the author of a text is trusted; lower is less."""

    EXTERNAL = 0  # web pages, files, tool output, forwarded and quoted text, other agents
    MEMBER = 1  # someone allowed into a group, not the owner
    USER = 2  # an allowed sender in a direct chat
    OPERATOR = 3  # configuration, the owner at an authenticated surface


class Confidentiality(IntEnum):
    """How private a text is; higher is more."""

    PUBLIC = 0
    CHAT = 1  # belongs to the chat it came from
    PRIVATE = 2  # the owner's files and memory
    SECRET = 3  # credentials; never enters a model context


class Label(Struct, frozen=True):
    """Integrity, confidentiality and origin handles of a text.

    `origins` are short handles such as `channel:irc`, `tool:exec`, `memory:12`, at most MAX_ORIGINS of them.
    """

    integrity: Integrity
    confidentiality: Confidentiality
    origins: tuple[str, ...] = ()

    def join(self, other: Label) -> Label:
        """Return the label of a text made from both: least trusted, most private, both origins."""
        origins = tuple(dict.fromkeys((*self.origins, *other.origins)))[:MAX_ORIGINS]
        return Label(min(self.integrity, other.integrity), max(self.confidentiality, other.confidentiality), origins)

    @property
    def is_tainted(self) -> bool:
        """Tell whether less than an allowed user wrote part of it."""
        return self.integrity < Integrity.USER

    def as_json(self) -> list[object]:
        """Return the stored form `[integrity, confidentiality, [origin, ...]]`."""
        return [int(self.integrity), int(self.confidentiality), list(self.origins)]

    @classmethod
    def from_json(cls, value: object) -> Label:
        """Read the stored form; anything else is the least trusted, most private label (fail closed)."""
        if not isinstance(value, list) or len(cast("list[object]", value)) != 3:
            return UNLABELLED
        integrity, confidentiality, origins = cast("list[object]", value)
        if not isinstance(integrity, int) or not isinstance(confidentiality, int) or not isinstance(origins, list):
            return UNLABELLED
        handles = tuple(str(origin) for origin in cast("list[object]", origins))
        return cls(Integrity(integrity), Confidentiality(confidentiality), handles)


MAX_ORIGINS = 16
UNLABELLED = Label(Integrity.EXTERNAL, Confidentiality.SECRET, ("unlabelled",))
OPERATOR = Label(Integrity.OPERATOR, Confidentiality.PRIVATE, ("operator",))


def join_all(labels: Iterable[Label]) -> Label:
    """Return the join of all labels; OPERATOR when there are none."""
    result: Label | None = None
    for label in dict.fromkeys(labels):  # most entries of a transcript have one of very few labels
        result = label if result is None else result.join(label)
    return OPERATOR if result is None else result
