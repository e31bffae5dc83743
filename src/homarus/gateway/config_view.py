"""The configuration as clients see it, made once for each version of the file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from homarus.protocol.frames import JsonObject

if TYPE_CHECKING:
    from homarus.config.load import LoadedConfig


class ConfigView:
    """Remembers what it made of the configuration in force; hiding secrets walks every model of the schema."""

    def __init__(self) -> None:
        self._made: tuple[LoadedConfig, JsonObject] | None = None

    def of(self, loaded: LoadedConfig) -> JsonObject:
        """Return the answer to `config.get`, without any secret; not to be changed."""
        if self._made is None or self._made[0] is not loaded:
            self._made = (loaded, _shown(loaded))
        return self._made[1]


def _shown(loaded: LoadedConfig) -> JsonObject:
    """`raw` is written anew from what may be seen, because the text of the file cannot be redacted safely."""
    from homarus.config.redact import redact  # noqa: PLC0415 - loads every model of the schema, needed on demand only

    shown, parsed = redact(loaded.written), redact(loaded.parsed)
    return {
        "path": str(loaded.path),
        "includedPaths": [str(path) for path in loaded.files if path != loaded.path],
        "includeProvenance": [],
        "agentRosterIncludeOwned": False,
        "bindingsIncludeOwned": False,
        "exists": loaded.exists,
        "raw": json.dumps(parsed, indent=2, ensure_ascii=False) + "\n" if loaded.exists else None,
        "parsed": parsed,
        "sourceConfig": shown,
        "resolved": shown,
        "valid": True,
        "runtimeConfig": shown,
        "config": shown,
        "hash": loaded.hash,
        "issues": [],
        "warnings": [{"path": "", "message": warning} for warning in loaded.warnings],
        "legacyIssues": [],
        "configRevisionHash": loaded.hash,
        "appliedConfigHash": loaded.hash,
    }
