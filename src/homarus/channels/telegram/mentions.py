"""Whether a text addresses the bot, read from the entities that Telegram marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from homarus.channels.telegram.objects import Entity, User


class Addressed(Struct, frozen=True):
    """The text without what only addresses the bot, and whether anything did."""

    text: str
    is_mentioned: bool


def read_mentions(text: str, entities: Sequence[Entity], me: User, commands: frozenset[str]) -> Addressed:
    """Return whether the bot is addressed: by name, by a mark on its account, or by a command.

    A command names the bot after an @, or is one of `commands` and names nobody. `@bot` at the beginning and the `@bot`
    of a command are taken off.
    """
    units = text.encode("utf-16-le", "surrogatepass")
    name = me.username.casefold()
    is_mentioned, cuts = False, list[tuple[int, int]]()
    for entity, word in _words(units, entities):
        if entity.type == "mention" and word.removeprefix("@").casefold() == name:
            is_mentioned = True
            cuts += [(0, entity.length)] if entity.offset == 0 else []
        elif entity.type == "text_mention" and entity.user is not None and entity.user.id == me.id:
            is_mentioned = True
        elif entity.type == "bot_command":
            command, _, target = word.removeprefix("/").partition("@")
            is_mentioned = is_mentioned or _is_for_me(command, target, name, commands)
            if target.casefold() == name and target:
                start = entity.offset + 1 + _width(command)
                cuts.append((start, entity.offset + entity.length))
    return Addressed(_without(units, cuts), is_mentioned)


def _is_for_me(command: str, target: str, name: str, commands: frozenset[str]) -> bool:
    return target.casefold() == name if target else command.casefold() in commands


def _words(units: bytes, entities: Sequence[Entity]) -> Iterator[tuple[Entity, str]]:
    for entity in entities:
        start, end = entity.offset * 2, (entity.offset + entity.length) * 2
        if 0 <= start < end <= len(units):
            yield entity, units[start:end].decode("utf-16-le", "replace")


def _without(units: bytes, cuts: list[tuple[int, int]]) -> str:
    for start, end in sorted(cuts, reverse=True):
        units = units[: start * 2] + units[end * 2 :]
    text = units.decode("utf-16-le", "replace")
    return text.lstrip(" ,:\n") if cuts and min(cuts)[0] == 0 else text


def _width(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
