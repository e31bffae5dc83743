"""Secrets that stand in files as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

from homarus.config.redact import REDACTED, redact
from homarus.ops.audit.finding import AuditFinding

if TYPE_CHECKING:
    from homarus.config.load import LoadedConfig

_FIX = "put it into .env of the state folder, and write ${NAME} in its place"
_OWN_IDS = {
    "gateway.auth.password": ("config.secrets.gateway_password_in_config", "warn"),
    "gateway.auth.token": ("config.secrets.gateway_token_in_config", "warn"),
    "hooks.token": ("config.secrets.hooks_token_in_config", "warn"),
}


def audit_secrets(loaded: LoadedConfig) -> Iterator[AuditFinding]:
    """Yield every secret that is written into the configuration itself; copies of the file carry it along."""
    for place in _plain(loaded.written, redact(loaded.written), ""):
        name, severity = _OWN_IDS.get(place, ("config.secrets.plaintext", "info"))
        detail = "a secret stands in the configuration as plain text"
        yield AuditFinding(name, "warn" if severity == "warn" else "info", place, detail, _FIX)


def _plain(value: object, hidden: object, place: str) -> Iterator[str]:
    if isinstance(value, Mapping) and isinstance(hidden, Mapping):
        shown = cast("Mapping[str, object]", hidden)
        for key, item in cast("Mapping[str, object]", value).items():
            yield from _plain(item, shown.get(key), f"{place}.{key}" if place else key)
    elif isinstance(value, list) and isinstance(hidden, list):
        pairs = zip(cast("list[object]", value), cast("list[object]", hidden), strict=True)
        for number, (item, other) in enumerate(pairs):
            yield from _plain(item, other, f"{place}[{number}]")
    elif hidden == REDACTED and value != REDACTED:
        yield place
