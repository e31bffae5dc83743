"""Reading JSON5: plain JSON by the standard library, the rest after a translation, errors with line and column."""

from __future__ import annotations

import json
import re
from typing import NoReturn

from homarus.config.issues import ConfigErrors, ConfigIssue

MAX_BYTES = 5 * 1024 * 1024
"""Largest configuration file."""
_MAX_DIAGNOSED = 65_536
_TOKENS = re.compile(
    r"""(?P<comment>//[^\n\r\u2028\u2029]*|/\*[\s\S]*?\*/)"""
    r"""|(?P<string>"(?:[^"\\\n\r]|\\(?:\r\n|[\s\S]))*"|'(?:[^'\\\n\r]|\\(?:\r\n|[\s\S]))*')"""
    r"""|(?P<number>[+-]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))"""
    r"""|(?P<word>[A-Za-z_$][\w$]*)"""
    r"""|(?P<comma>,)|(?P<close>[}\]])"""
    r"""|(?P<space>[\s\ufeff]+)""",
)
_ESCAPE = re.compile(r"\\(\r\n|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[\s\S])")
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_SINGLE = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0", "\n": "", "\r\n": "", "\r": ""}


def parse(text: str, *, file: str) -> tuple[object, list[str]]:
    """Return the value and warnings about keys that are written twice (the last one counts).

    Raises ConfigErrors with line and column when the text is not JSON5.
    """
    twice: list[str] = []
    try:
        return _load(text, twice), _warnings(twice)
    except RecursionError:
        _fail("objects are nested too deeply", file)
    except ValueError:
        twice.clear()
    try:
        return _load(translate(text), twice), _warnings(twice)
    except RecursionError:
        _fail("objects are nested too deeply", file)
    except ValueError as error:
        _diagnose(text, error, file)


def _load(text: str, twice: list[str]) -> object:
    def pairs(items: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(items)
        if len(found) < len(items):
            names = [name for name, _ in items]
            twice.extend(sorted({name for name in names if names.count(name) > 1}))
        return found

    return json.loads(text, object_pairs_hook=pairs, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not allowed in a configuration")


def _warnings(twice: list[str]) -> list[str]:
    return [f'key "{name}" is written twice in one object; the last one counts' for name in twice]


def translate(text: str) -> str:
    """Return plain JSON for JSON5: comments, trailing commas, bare keys, single quotes, hexadecimal and signs."""
    parts: list[str] = []
    position, comma = 0, -1
    while position < len(text):
        found = _TOKENS.match(text, position)
        kind, token = ("other", text[position]) if found is None else (str(found.lastgroup), found[0])
        position += len(token)
        if kind == "comment":
            token = re.sub(r"[^\n]", " ", token)
        elif kind == "comma":
            comma = -1 if not parts or parts[-1] in ("[", "{") else len(parts)
        elif kind == "close" and comma >= 0:
            parts[comma], comma = "", -1
        elif kind not in ("space", "close"):
            comma = -1
            token = _render(kind, token, text, position)
        parts.append(token)
    return "".join(parts)


def _render(kind: str, token: str, text: str, end: int) -> str:
    if kind == "string":
        return json.dumps(_ESCAPE.sub(_unescape, token[1:-1]))
    if kind == "number":
        return _number(token)
    if kind == "word" and _is_key(text, end):
        return json.dumps(token)
    return token


def _unescape(found: re.Match[str]) -> str:
    code = found[1]
    if code[0] in "ux" and len(code) > 1:
        return chr(int(code[1:], 16))
    return _SINGLE.get(code, code)


def _number(token: str) -> str:
    if _PLAIN_NUMBER.fullmatch(token):
        return token
    sign, digits = ("-" if token[0] == "-" else "", token.lstrip("+-"))
    if digits[:2] in ("0x", "0X"):
        return f"{sign}{int(digits, 16)}"
    if re.match(r"0\d", digits):
        return token
    return sign + repr(float(digits))


def _is_key(text: str, position: int) -> bool:
    while position < len(text):
        found = _TOKENS.match(text, position)
        if found is None or found.lastgroup not in ("space", "comment"):
            return text[position] == ":"
        position = found.end()
    return False


def _diagnose(text: str, error: ValueError, file: str) -> NoReturn:
    """Let the JSON5 library say what is wrong: it is slow, so only for files of common size."""
    if len(text) <= _MAX_DIAGNOSED:
        import json5  # noqa: PLC0415 - slow to import and needed only for a broken file

        try:
            json5.loads(text)
        except RecursionError:
            _fail("objects are nested too deeply", file)
        except ValueError as found:
            place = re.search(r":(\d+) (.*?)(?: at)? column (\d+)", str(found), re.DOTALL)
            if place:
                _fail(f"line {place[1]}, column {place[3]}: {place[2].strip()}", file)
    if isinstance(error, json.JSONDecodeError):
        _fail(f"line {error.lineno}, column {error.colno}: {error.msg}", file)
    _fail(str(error), file)


def _fail(message: str, file: str) -> NoReturn:
    fix = "correct the text there, or restore the copy ending in .bak"
    raise ConfigErrors([ConfigIssue("", f"not valid JSON5, {message}", fix=fix)], file=file) from None
