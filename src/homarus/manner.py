"""How a part goes out beyond its text: without a sound, with buttons under it, as a poll or a sticker."""

from __future__ import annotations

import msgspec
from msgspec import Struct


class Button(Struct, frozen=True, omit_defaults=True):
    """A button under a message: `data` comes back as a message when it is pressed, or `url` is opened."""

    text: str
    data: str = ""
    url: str = ""


class Poll(Struct, frozen=True, omit_defaults=True):
    """Answers to choose from; the question is the text of the part. `seconds` after which it closes, None never."""

    options: tuple[str, ...]
    most: int = 1
    is_anonymous: bool = True
    seconds: int | None = None


class Manner(Struct, frozen=True, omit_defaults=True):
    """`is_quiet` asks for no notification; `buttons` are rows; `poll` makes a poll of the text, `sticker` is the
    platform's name of a sticker sent in its place. A channel that cannot do it sends the text alone."""

    is_quiet: bool = False
    buttons: tuple[tuple[Button, ...], ...] = ()
    poll: Poll | None = None
    sticker: str = ""

    def as_json(self) -> object:
        """Return it as stored, None for the ordinary one."""
        return msgspec.to_builtins(self) or None

    @classmethod
    def from_json(cls, value: object) -> Manner:
        """Return what `as_json` gave; anything else is the ordinary one."""
        try:
            return msgspec.convert(value, cls) if value else ORDINARY
        except msgspec.ValidationError:
            return ORDINARY


ORDINARY = Manner()
"""As most parts go."""
