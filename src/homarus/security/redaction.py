"""Hides credentials in texts that are stored, logged or shown. Known shapes only, in time linear in the text.

It is a net under the rule that secrets never enter a process that runs tools, not a replacement for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, cast

KEPT = 4  # characters left at the front, to tell which key it was
MAX_PEM = 20_000

# every repetition is bounded and no two neighbours can match the same character, so there is nothing to backtrack into
_TOKENS: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"sk-(?:ant-|proj-|or-|svcacct-)?[A-Za-z0-9_-]{16,400}"  # OpenAI, Anthropic, OpenRouter
    r"|gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{22,255}"  # GitHub
    r"|glpat-[A-Za-z0-9_-]{20,64}"  # GitLab
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])"  # AWS
    r"|AIza[A-Za-z0-9_-]{35}"  # Google
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,255}|xapp-[A-Za-z0-9-]{10,255}"  # Slack
    r"|[sr]k_live_[A-Za-z0-9]{16,255}"  # Stripe
    r"|hf_[A-Za-z0-9]{30,64}|gsk_[A-Za-z0-9]{30,128}|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{40,400}"
    r"|[0-9]{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])"  # Telegram
    r")"
)
_WEB_TOKEN: Final = re.compile(
    r"(?<![A-Za-z0-9_.-])eyJ[A-Za-z0-9_-]{10,2000}+\.[A-Za-z0-9_-]{10,4000}+\.[A-Za-z0-9_-]{10,1000}+"
)
_BEARER: Final = re.compile(r"\b((?:Bearer|Basic)\s{1,4})([A-Za-z0-9._~+/=-]{12,4000})", re.IGNORECASE)
_URL: Final = re.compile(r"(://[^\s:/@]{1,200}:)([^\s/@]{1,400})(@)")
_PEM_BEGIN: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]{0,40}PRIVATE KEY)-----")


def redact_text(text: str) -> str:
    """Return the text with every known credential shape cut to its first characters."""
    text = _redact_pem(text)
    text = _TOKENS.sub(lambda found: _mask(found.group()), text)
    text = _WEB_TOKEN.sub(lambda found: _mask(found.group()), text)
    text = _BEARER.sub(lambda found: found.group(1) + _mask(found.group(2)), text)
    return _URL.sub(r"\1[redacted]\3", text)


def redact_value(value: object) -> object:
    """Return JSON-like data with every string redacted."""
    match value:
        case str():
            return redact_text(value)
        case dict():
            return {key: redact_value(item) for key, item in cast("Mapping[object, object]", value).items()}
        case list():
            return [redact_value(item) for item in cast("list[object]", value)]
        case _:
            return value


def _mask(secret: str) -> str:
    return f"{secret[:KEPT]}…[redacted]"


def _redact_pem(text: str) -> str:
    """Replace private keys; one without an end loses MAX_PEM characters."""
    pieces: list[str] = []
    position = 0
    while found := _PEM_BEGIN.search(text, position):
        end_line = f"-----END {found.group(1)}-----"
        end = text.find(end_line, found.end(), found.end() + MAX_PEM)
        pieces += [text[position : found.start()], f"[redacted {found.group(1).lower()}]"]
        position = end + len(end_line) if end >= 0 else min(len(text), found.end() + MAX_PEM)
    return "".join([*pieces, text[position:]]) if pieces else text
