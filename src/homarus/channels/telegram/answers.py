"""What an answer of the Bot API means: a result, or the error of our tree that fits it."""

from __future__ import annotations

import json
from typing import cast

from homarus.errors import AuthFailed, HomarusError, Permanent, Transient

_FIX = "copy the token from @BotFather into botToken; the old one may have been revoked"
_LONGEST = 300  # characters of a description that are repeated


class Refused(Permanent):
    """Telegram refused a call. `code` is 400, 403 or 413; `description` is what it said, in lower case; `migrate_to` is
    the id of the chat that replaces this one."""

    def __init__(self, message: str, *, code: int, description: str, migrate_to: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.description = description.lower()
        self.migrate_to = migrate_to


class Unreadable(Exception):
    """The answer is not one of the Bot API: a proxy's page, or half an answer."""


def read_answer(method: str, status: int, body: bytes) -> object:
    """Return the result in an answer.

    Raises AuthFailed (401, 404), Refused (400, 403, 413), Transient (409, 429, 5xx) and Unreadable.
    """
    try:
        data: object = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or not isinstance(cast("dict[str, object]", data).get("ok"), bool):
        raise Unreadable(f"HTTP {status}")
    answer = cast("dict[str, object]", data)
    if answer["ok"] and status < 300:
        return answer.get("result")
    code = answer.get("error_code")
    raise _refusal(method, code if isinstance(code, int) else status, answer)


def _refusal(method: str, code: int, answer: dict[str, object]) -> HomarusError:
    description = " ".join(str(answer.get("description", "")).split())[:_LONGEST]
    found = answer.get("parameters")
    parameters = cast("dict[str, object]", found) if isinstance(found, dict) else {}
    said = f"Telegram answered {code} to {method}: {description or 'no reason given'}"
    if code in {401, 404}:
        return AuthFailed("Telegram does not accept the bot token", fix=_FIX)
    if code == 409:
        return Transient(said, retry_after=30.0, fix=_conflict_fix(description))
    if code == 429:
        return Transient(said, retry_after=_seconds(parameters.get("retry_after")))
    if code >= 500:
        return Transient(said)
    migrate = parameters.get("migrate_to_chat_id")
    return Refused(said, code=code, description=description, migrate_to=migrate if isinstance(migrate, int) else None)


def _conflict_fix(description: str) -> str:
    if "webhook" in description.lower():
        return "a webhook was set for this bot by another program: stop that program; the next connection removes it"
    return "another program receives with the same bot token: stop it, or give each its own bot"


def _seconds(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return 5.0
    return max(1.0, min(float(value), 3600.0))
