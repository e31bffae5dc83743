"""Reads the settings of the catalogue from the configuration and the keys of known providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from homarus.config.secret import Secret
from homarus.models.http import Timeouts
from homarus.models.providers import KNOWN_PROVIDERS, KnownProvider
from homarus.models.settings import CatalogueSettings, Compat, ModelSettings, ProviderSettings

if TYPE_CHECKING:
    from homarus.config.models import Compatibility, ModelEntry, Provider
    from homarus.config.schema import Config


def settings_from_config(config: Config, environment: Mapping[str, str]) -> CatalogueSettings:
    """Return providers, default model, fallbacks and aliases.

    A known provider whose key is in `environment` (say OPENAI_API_KEY) can be used without being configured.
    """
    configured = config.models.providers or {}
    providers = [_read_provider(name, entry, environment) for name, entry in configured.items()]
    providers += [
        _with_key(row, environment[row.key_name])
        for row in KNOWN_PROVIDERS.values()
        if row.id not in configured and row.key_name and environment.get(row.key_name)
    ]
    choice = config.agents.defaults.model
    entries = (config.agents.defaults.models or {}).items()
    return CatalogueSettings(
        providers=tuple(providers),
        primary=choice.primary if choice else None,
        fallbacks=tuple(choice.fallbacks) if choice else (),
        aliases={entry.alias: ref for ref, entry in entries if entry.alias},
    )


def timeouts_from_config(config: Config) -> Timeouts:
    """Return the timeouts of model calls.

    `agents.defaults.llm.idleTimeoutSeconds` bounds silence, before the first byte too; zero waits to the end.
    """
    limits = config.agents.defaults.llm
    idle = limits.idle_timeout_seconds if limits else None
    defaults = Timeouts()
    if idle is None:
        return defaults
    wait = float(idle) or defaults.total
    return Timeouts(first=wait, idle=wait)


def _read_provider(name: str, entry: Provider, environment: Mapping[str, str]) -> ProviderSettings:
    row = KNOWN_PROVIDERS.get(name)
    key = entry.api_key or _key_of(row, environment)
    return ProviderSettings(
        id=name,
        base_url=entry.base_url,
        api_key=key,
        api=entry.api or "openai-completions",
        headers=entry.headers or {},
        auth_header=entry.auth_header is not False,
        models=tuple(_read_model(model) for model in entry.models),
        compat=row.compat if row else Compat(),
        is_open_ended=row is not None and not entry.models,
    )


def _read_model(entry: ModelEntry) -> ModelSettings:
    return ModelSettings(
        id=entry.id,
        name=entry.name,
        context_window=min(int(entry.context_window), entry.context_tokens or int(entry.context_window)),
        max_tokens=int(entry.max_tokens),
        has_vision="image" in entry.input,
        has_reasoning=entry.reasoning,
        api=entry.api,
        headers=entry.headers or {},
        compat=_read_compat(entry.compat),
    )


def _read_compat(section: Compatibility | None) -> Compat:
    """Take the switches that are known here; an empty list says nothing."""
    if section is None:
        return Compat()
    said = {name: getattr(section, name) for name in Compat.__struct_fields__}
    return Compat(**{name: value for name, value in said.items() if value != ()})


def _with_key(row: KnownProvider, key: str) -> ProviderSettings:
    return ProviderSettings(row.id, row.base_url, Secret(key), compat=row.compat, is_open_ended=True)


def _key_of(row: KnownProvider | None, environment: Mapping[str, str]) -> Secret | None:
    value = environment.get(row.key_name, "") if row and row.key_name else ""
    return Secret(value) if value else None
