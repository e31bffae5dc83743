"""The environment of the process: the only place that reads it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from homarus.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

HOME = "HOMARUS_HOME"
CONFIG = "HOMARUS_CONFIG"
GATEWAY_TOKEN = ("HOMARUS_GATEWAY_TOKEN", "OPENCLAW_GATEWAY_TOKEN")
GATEWAY_PASSWORD = ("HOMARUS_GATEWAY_PASSWORD", "OPENCLAW_GATEWAY_PASSWORD")
HANDSHAKE_TIMEOUT_MS = ("HOMARUS_HANDSHAKE_TIMEOUT_MS", "OPENCLAW_HANDSHAKE_TIMEOUT_MS")
TAILSCALE_SOCKET = "HOMARUS_TAILSCALE_SOCKET"
"""The Unix socket of a tailscaled that is not at its usual place."""

_MAX_DOTENV_BYTES = 262_144
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


def process_environment() -> Mapping[str, str]:
    """Return a copy of the variables this process was started with."""
    return dict(os.environ)


def first_set(env: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    """Return the value of the first variable of `names` that is not empty."""
    return next((env[name] for name in names if env.get(name)), None)


def home_folder(env: Mapping[str, str]) -> Path:
    """Return the home folder of the user."""
    return Path(env["HOME"]) if env.get("HOME") else Path.home()


def expand(text: str, env: Mapping[str, str]) -> Path:
    """Return an absolute path; a leading `~` is the home folder."""
    home = home_folder(env)
    path = home / text[2:] if text.startswith("~/") else home if text == "~" else Path(text)
    return path if path.is_absolute() else Path.cwd() / path


def read_dotenv(path: Path) -> dict[str, str]:
    """Return the variables of a `.env` file, empty when there is none.

    Lines are `NAME=value`, optionally with `export`, quotes and `# comments`. Raises ConfigError with the line.
    """
    try:
        data = path.read_bytes() if path.is_file() else b""
        lines = data.decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} cannot be read: {error}", fix="make it a UTF-8 text file this user can read"
        ) from None
    if len(data) > _MAX_DOTENV_BYTES:
        raise ConfigError(f"{path} is larger than {_MAX_DOTENV_BYTES} bytes", fix="keep only variables in it")
    variables: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            raise ConfigError(f"{path}, line {number}: not NAME=value", fix="write NAME=value or start the line with #")
        variables[found[1]] = _unquote(found[2])
    return variables


def _unquote(text: str) -> str:
    if len(text) > 1 and text[0] == "'" and (end := text.find("'", 1)) > 0:
        return text[1:end]
    quoted = re.match(r'"((?:\\.|[^"\\])*)"', text)
    if quoted:
        return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), quoted[1])
    return re.split(r"\s+#", text, maxsplit=1)[0]
