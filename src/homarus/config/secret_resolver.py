"""Resolving secret references while a configuration is loaded."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from homarus.config.secret import SecretRef
    from homarus.config.secret_sources import FileSource, SecretSource


class SourceResolver:
    """Resolves references against the environment and the files named in `secrets.providers`."""

    def __init__(self, section: object, env: Mapping[str, str], folder: Path) -> None:
        """`section` is the raw `secrets` section, `folder` where relative paths start."""
        self._section = section
        self._env = env
        self._folder = folder
        self._documents: dict[str, object] = {}

    def resolve(self, ref: SecretRef) -> str:
        """Return the value; raise ValueError saying what is missing and how to fix it."""
        if ref.source == "exec":
            raise ValueError(
                "secrets printed by programs are not supported; put the value in a variable or a file and use"
                " source env or file"
            )
        return self._from_env(ref) if ref.source == "env" else self._from_file(ref)

    @cached_property
    def _sources(self) -> dict[str, SecretSource]:
        """The named sources; none when the section is wrong, which its own validation reports."""
        from pydantic import ValidationError  # noqa: PLC0415 - likewise

        from homarus.config.secret_sources import Secrets  # noqa: PLC0415 - most files have no such section

        try:
            return {} if self._section is None else Secrets.model_validate(self._section).providers
        except ValidationError:
            return {}

    def _from_env(self, ref: SecretRef) -> str:
        source = self._sources.get(ref.provider)
        if source is not None and source.source != "env":
            raise ValueError(f"secrets.providers.{ref.provider} has source {source.source}, the reference says env")
        if source is not None and source.allowlist is not None and ref.id not in source.allowlist:
            raise ValueError(f"variable {ref.id} is not in secrets.providers.{ref.provider}.allowlist; add it there")
        value = self._env.get(ref.id, "")
        if not value:
            raise ValueError(f"variable {ref.id} is not set; set it in the environment or in .env of the state folder")
        return value

    def _from_file(self, ref: SecretRef) -> str:
        source = self._sources.get(ref.provider)
        if source is None or source.source != "file":
            raise ValueError(
                f"no file is configured for it; set secrets.providers.{ref.provider} to"
                ' {source: "file", path: "…", mode: "json" or "singleValue"}'
            )
        document = self._document(ref.provider, source)
        if source.mode == "singleValue":
            return cast("str", document)
        found = _look_up(document, ref.id)
        if not isinstance(found, str) or not found:
            raise ValueError(f"{source.path} has no text at {ref.id}; ids of JSON files are pointers such as /name")
        return found

    def _document(self, name: str, source: FileSource) -> object:
        if name not in self._documents:
            text = _read(self._folder / Path(source.path).expanduser(), source.max_bytes)
            try:
                self._documents[name] = text.strip() if source.mode == "singleValue" else json.loads(text)
            except (ValueError, RecursionError):
                raise ValueError(f"{source.path} is not JSON; for a bare value set mode singleValue") from None
        return self._documents[name]


def _read(path: Path, limit: int) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
        text = data.decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ValueError(f"cannot read {path}: {reason}") from None
    if len(data) > limit:
        raise ValueError(f"{path} is larger than {limit} bytes; raise maxBytes of its provider")
    return text


def _look_up(document: object, pointer: str) -> object:
    """Follow an RFC 6901 pointer; None when a step is missing."""
    current = document
    for raw in pointer.split("/")[1:]:
        step = raw.replace("~1", "/").replace("~0", "~")
        if isinstance(current, dict):
            current = cast("dict[str, object]", current).get(step)
        elif isinstance(current, list) and step.isdigit() and int(step) < len(cast("list[object]", current)):
            current = cast("list[object]", current)[int(step)]
        else:
            return None
    return current
