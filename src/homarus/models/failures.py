"""What a refusal means: HTTP status, headers and body of a provider's answer to one Failed event.

Messages are short, name the provider and the status, say what to do, and never carry a secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from homarus.models.contract import Failed, FailureKind
from homarus.models.retry_after import read_retry_after
from homarus.models.wire.json_value import as_object, as_objects, as_text, parse_json

_DETAIL_LENGTH = 200
_WORD = re.compile(r"(?i:bearer\s+\S+)|[\w*.-]+")
_KEY_LENGTH = 20

_OVERFLOW = (
    "context_length_exceeded",
    "exceed_context_size",
    "exceeds the available context size",
    "context length",
    "context window",
    "prompt is too long",
    "input is too long",
    "input length exceeds",
    "too many input tokens",
    "reduce the length of the messages",
    "request_too_large",
)
_BILLING = (
    "insufficient_quota",
    "insufficient balance",
    "insufficient credit",
    "insufficient_credit",
    "credit balance",
    "exceeded your current quota",
    "payment required",
    "billing",
    "out of credits",
)
_BAD_KEY = ("invalid_api_key", "invalid api key", "incorrect api key", "api key not valid", "api key expired")
_BUSY = ("overloaded", "server_error", "service unavailable", "temporarily unavailable", "internal server error")
_LIMIT = ("rate_limit", "rate limit", "too many requests")

_ADVICE = {
    FailureKind.AUTH: "refused the API key ({status}). Check models.providers.{id}.apiKey.",
    FailureKind.BILLING: "says there is no credit left ({status}). Add credit to that account or choose another model.",
    FailureKind.RATE_LIMIT: "limits the rate of requests ({status}). Wait a moment or choose another model.",
    FailureKind.OVERLOADED: "has a problem on its side ({status}). Try again, or choose another model.",
    FailureKind.TIMEOUT: "did not answer in time ({status}). Try again, or choose another model.",
    FailureKind.CONTEXT_OVERFLOW: "says the conversation is too long for this model ({status}). Start a new session "
    "or choose a model with a larger context.",
    FailureKind.BAD_REQUEST: "refuses the request ({status}). Check the model name and models.providers.{id}.",
    FailureKind.GARBAGE: "answered something that is not a completion ({status}). Check models.providers.{id}.baseUrl.",
    FailureKind.CONNECTION: "broke off the connection ({status}). Try again.",
}


def classify_response(
    provider: str, status: int, headers: Mapping[str, str], body: bytes, *, now_ms: int, secret: str = ""
) -> Failed:
    """Return what an answer with a status other than 2xx means. `headers` has lower-case names.

    `secret` is the key that was sent; it is cut out of the provider's words.
    """
    value = parse_json(body)
    is_page = body.lstrip()[:1] == b"<"
    detail = "" if is_page else _detail_of(value) or ("" if value is not None else body[:1000].decode(errors="replace"))
    kind = _kind_of(status, f"{_code_of(value)} {detail}".lower())
    waits = kind in {FailureKind.RATE_LIMIT, FailureKind.OVERLOADED}
    retry_after = read_retry_after(headers, now_ms=now_ms) if waits else None
    code = _clean(_name_of(value), secret)
    return _failed(kind, provider, status, _clean(detail, secret), code=code, retry_after=retry_after)


def classify_error_object(provider: str, error: object, *, partial: str = "") -> Failed:
    """Return what an `error` inside an answer with status 200 means; it may carry a status as `code`."""
    code = as_object(error).get("code")
    status = code if isinstance(code, int) and 400 <= code <= 599 else None
    detail = _detail_of({"error": error})
    kind = _kind_of(status, f"{_code_of({'error': error})} {detail}".lower())
    code_name = _clean(_name_of({"error": error}), "")
    return _failed(kind, provider, status, _clean(detail, ""), code=code_name, partial=partial)


def _failed(
    kind: FailureKind,
    provider: str,
    status: int | None,
    detail: str,
    *,
    code: str,
    retry_after: float | None = None,
    partial: str = "",
) -> Failed:
    shown = "error in the answer" if status is None else f"HTTP {status}"
    message = f"{provider} {_ADVICE[kind].format(status=shown, id=provider)}"
    if detail:
        message += f" It said: {detail}"
    return Failed(kind, message, partial, retry_after, status, code, detail)


def _kind_of(status: int | None, words: str) -> FailureKind:
    """Words decide first where a status is used for several things, the status otherwise."""
    if status in {None, 400, 413, 422, 500} and _has(words, _OVERFLOW):
        return FailureKind.CONTEXT_OVERFLOW
    if status in {None, 400, 402, 403, 429} and _has(words, _BILLING):
        return FailureKind.BILLING
    if status in {None, 400} and _has(words, _BAD_KEY):
        return FailureKind.AUTH
    if status in {None, 413} and _has(words, _LIMIT):
        return FailureKind.RATE_LIMIT
    return _kind_of_words(words) if status is None else _kind_of_status(status)


def _kind_of_words(words: str) -> FailureKind:
    return FailureKind.OVERLOADED if _has(words, _BUSY) or not words.strip() else FailureKind.BAD_REQUEST


def _kind_of_status(status: int) -> FailureKind:
    by_status = {
        401: FailureKind.AUTH,
        402: FailureKind.BILLING,
        403: FailureKind.AUTH,
        408: FailureKind.TIMEOUT,
        413: FailureKind.CONTEXT_OVERFLOW,
        425: FailureKind.OVERLOADED,
        429: FailureKind.RATE_LIMIT,
    }
    if status >= 500:
        return FailureKind.OVERLOADED
    return by_status.get(status, FailureKind.BAD_REQUEST if status >= 300 else FailureKind.GARBAGE)


def _has(words: str, signs: tuple[str, ...]) -> bool:
    return any(sign in words for sign in signs)


def _error_of(value: object) -> object:
    """Return the error in a body: `{"error": …}`, a list around it, or the body itself."""
    body = as_object(value) or next(iter(as_objects(value)), as_object(None))
    return body.get("error") or body.get("detail") or body


def _detail_of(value: object) -> str:
    error = _error_of(value)
    if isinstance(error, str):
        return error
    fields = as_object(error)
    return as_text(fields.get("message")) or as_text(fields.get("error")) or as_text(fields.get("detail"))


def _code_of(value: object) -> str:
    fields = as_object(_error_of(value))
    return " ".join(str(fields.get(name, "")) for name in ("code", "type", "status"))


def _name_of(value: object) -> str:
    """Return what the provider calls the error, empty when it gives it no name."""
    fields = as_object(_error_of(value))
    return next((text for name in ("type", "code", "status") if (text := as_text(fields.get(name)))), "")


def _clean(detail: str, secret: str) -> str:
    """Return the provider's words on one line, short, without the key or anything that looks like one."""
    if secret:
        detail = detail.replace(secret, "[key]")
    detail = _WORD.sub(_hide_key, " ".join(detail[:4000].split()))
    return detail if len(detail) <= _DETAIL_LENGTH else f"{detail[:_DETAIL_LENGTH].rstrip()}…"


def _hide_key(word: re.Match[str]) -> str:
    """Keys are long words with digits in them, sometimes already masked by stars, or follow `Bearer`."""
    text = word.group()
    is_long = len(text) >= _KEY_LENGTH and any(character.isdigit() for character in text)
    return "[…]" if is_long or "***" in text or text[:7].lower() == "bearer " else text
