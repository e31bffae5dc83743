"""What a plain request asks for, found by the rules of a language."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct, field

_MAX_JOINED = 1000
"""Characters of a message that is looked at for several requests."""
_MAX_STRIPS = 10
_MARKS = " \t\n.?!\u2026,;:"


class Intent(Struct, frozen=True):
    """One thing asked for: `name` such as list, read, note; `slots` the words it was asked with."""

    name: str
    slots: Mapping[str, str] = field(default_factory=dict[str, str])


class Rule(Struct, frozen=True):
    """A pattern (matched whole, without case) that means an intent. Group names are the slots.

    `is_verbatim` rules see the text as typed: their slots may hold anything, down to the last character.
    Texts longer than `max_length` characters do not match, which bounds the work a hostile text can cause.
    """

    intent: str
    pattern: str
    is_verbatim: bool = False
    max_length: int = 400


class Language(Struct, frozen=True):
    """A language as data: politeness to strip before and after, words that join requests, rules in order.

    `before` and `after` match one piece of politeness each; `question` matches openings that make a request a
    question, so that its question mark is not part of a command.
    """

    before: str
    after: str
    question: str
    joiners: str
    rules: tuple[Rule, ...]


class Understanding:
    """Reads requests in one language; patterns are compiled when the first request comes."""

    def __init__(self, language: Language) -> None:
        flags = re.IGNORECASE | re.DOTALL
        self._before = re.compile(rf"(?:{language.before})", flags)
        self._after = re.compile(rf"(?:{language.after})\Z", flags)
        self._question = re.compile(language.question, flags)
        self._joiners = re.compile(language.joiners, flags)
        self._rules = [(rule, re.compile(rule.pattern, flags)) for rule in language.rules]
        self._verbatim = frozenset(rule.intent for rule in language.rules if rule.is_verbatim)

    def read(self, text: str) -> tuple[Intent, ...]:
        """Return what is asked for, in order; nothing when the rules do not cover it."""
        text = text.strip()
        whole = self._match(text)
        if whole is not None and whole.name in self._verbatim:
            return (whole,)
        split = self._joiners.split(text) if len(text) <= _MAX_JOINED else []
        parts = [part for part in split if part.strip()]
        if 1 < len(parts) <= 5:
            intents = [intent for part in parts if (intent := self._match(part)) is not None]
            if len(intents) == len(parts):
                return tuple(intents)
        return () if whole is None else (whole,)

    def _match(self, text: str) -> Intent | None:
        opened = self._open(text.strip())
        plain = unquote(self._close(opened))
        for rule, pattern in self._rules:
            words = opened if rule.is_verbatim else plain
            match = pattern.fullmatch(words) if len(words) <= rule.max_length else None
            if match is not None:
                slots = {name: unquote(value) for name, value in match.groupdict().items() if value}
                return Intent(rule.intent, slots)
        return None

    def _open(self, text: str) -> str:
        """Strip politeness before a request, but never all of it: a bare "hello!" is not only an opening."""
        opened = text
        for _ in range(_MAX_STRIPS):
            match = self._before.match(opened)
            if match is None or match.end() == len(opened):
                break
            if self._question.match(opened):
                text = opened = opened.removesuffix("?")
            opened = opened[match.end() :]
        return opened.strip() or text

    def _close(self, text: str) -> str:
        """Strip punctuation and politeness after a request, one piece at a time."""
        closed = text.rstrip(_MARKS)
        for _ in range(_MAX_STRIPS):
            match = self._after.search(closed[-40:])
            if match is None:
                break
            closed = closed[: len(closed) - len(match.group())].rstrip(_MARKS)
        return closed or text


def unquote(text: str) -> str:
    """Take one pair of quotes, backticks or a code fence off a text that is wholly inside them."""
    text = text.strip()
    fence = re.fullmatch(r"```[a-z]*\n(.*?)\n?```", text, re.DOTALL)
    if fence:
        return fence.group(1)
    for opening, closing in ('""', "''", "``", "\u201c\u201d", "\u2018\u2019", "\u00ab\u00bb"):
        inner = text[1:-1]
        if len(text) > 1 and text[0] == opening and text[-1] == closing and not {opening, closing} & set(inner):
            return inner.strip()
    return text
