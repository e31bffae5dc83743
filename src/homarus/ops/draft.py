"""Changes to the configuration that are tried before they are written: nothing is touched until `commit`."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from homarus.config.environment import read_dotenv
from homarus.config.issues import MISSING, value_at
from homarus.config.load import LoadedConfig, load, load_text
from homarus.config.paths import StateDir
from homarus.config.write import assign_all, parse_place, set_values, write_text_atomically
from homarus.errors import UserError

if TYPE_CHECKING:
    from homarus.config.load import Tree

_NAME = re.compile(r"[A-Z_][A-Z0-9_]*")


class Draft:
    """Keys to set, and secrets for the `.env` beside the configuration. Raises ConfigError when that is broken now."""

    def __init__(self, state: StateDir) -> None:
        self._state = state
        self._loaded = load(state.config_file, state.env)
        self.values: dict[str, object] = {}
        self._secrets: dict[str, str] = {}

    @property
    def dotenv(self) -> Path:
        """Return the file that secrets go to."""
        return self._state.config_file.parent / ".env"

    @property
    def has_secrets(self) -> bool:
        """Tell whether `commit` writes to the file of secrets."""
        return bool(self._secrets)

    def written(self, key: str) -> object:
        """Return what the file says now, before variables; None when it says nothing."""
        value = value_at(self._loaded.written, parse_place(key))
        return None if value is MISSING else value

    def variable(self, name: str) -> str | None:
        """Return the value of a variable: as typed, as in the environment, or as in `.env`."""
        known = {**read_dotenv(self.dotenv), **self._state.env, **self._secrets}
        return known.get(name) or None

    def is_stored(self, name: str) -> bool:
        """Tell whether a service finds a variable, which does not inherit the environment of this terminal."""
        return name in self._secrets or name in read_dotenv(self.dotenv)

    def is_found(self, name: str) -> bool:
        """Tell whether a variable was there before anything was typed: what was typed may just have been refused."""
        return name not in self._secrets and bool(self.variable(name))

    def is_inherited(self, name: str) -> bool:
        """Tell whether a variable comes from the environment, which wins over what `commit` could write."""
        return bool(self._state.env.get(name))

    def forget(self, values: Mapping[str, object]) -> None:
        """Go back to these values, and forget the secrets that they do not refer to."""
        self.values = dict(values)
        kept = {value for value in self.values.values() if isinstance(value, str)}
        self._secrets = {name: secret for name, secret in self._secrets.items() if f"${{{name}}}" in kept}

    def keep_secret(self, name: str, value: str) -> str:
        """Note a secret for `.env` and return the reference `${NAME}` to write into the configuration.

        Raises UserError for a name that cannot be referred to, a value that is empty or has line breaks, and when the
        environment holds another value, which would win.
        """
        if not _NAME.fullmatch(name):
            raise UserError(f"{name!r} is no name of a variable", fix="use capitals, digits and _, such as MY_KEY")
        if not value or not value.isprintable():
            raise UserError(f"the value for {name} is empty or has control characters", fix="copy it again")
        if self._state.env.get(name, value) != value:
            raise UserError(f"the environment has another value for {name}", fix=f"unset {name}, and try again")
        self._secrets[name] = value
        return f"${{{name}}}"

    def preview(self) -> LoadedConfig:
        """Return the configuration as it would be. Raises ConfigErrors with everything that would be wrong."""
        tree: Tree = copy.deepcopy(self._loaded.parsed)
        assign_all(tree, self.values)
        text = json.dumps(tree, ensure_ascii=False)
        return load_text(text, self._state.config_file, {**self._state.env, **self._secrets})

    def commit(self) -> bool:
        """Write secrets (mode 0600) and keys, or nothing; returns whether comments of the old file were lost.

        Raises ConfigErrors when the result would be invalid, ConfigError when it cannot be written.
        """
        path = self.dotenv
        before = path.read_text(encoding="utf-8") if path.exists() else None
        if self._secrets:
            write_text_atomically(path, with_variables(before or "", self._secrets))
        try:
            return (
                set_values(self._state.config_file, self.values, self._state.env).comments_lost
                if self.values
                else False
            )
        except BaseException:
            if self._secrets:
                _put_back(path, before)
            raise


def with_variables(text: str, variables: Mapping[str, str]) -> str:
    """Return the text of a `.env` file with variables set, everything else in it unchanged."""
    lines = text.splitlines()
    for name, value in variables.items():
        line = f"{name}={_quoted(value)}"
        mine = [index for index, old in enumerate(lines) if re.match(rf"\s*(export\s+)?{name}\s*=", old)]
        if mine:
            lines[mine[-1]] = line
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    """Return a value as the reader of `.env` takes it back; only what could be misread is quoted."""
    if re.fullmatch(r"[\w./:@%+,=-]+", value, re.ASCII):
        return value
    if "'" not in value:
        return f"'{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _put_back(path: Path, before: str | None) -> None:
    if before is None:
        path.unlink(missing_ok=True)
    else:
        write_text_atomically(path, before)
