"""Finds models by reference: configured ones, those of known providers with a key, local ones, and the built-in."""

from __future__ import annotations

from collections.abc import Sequence

from homarus.clock import Clock
from homarus.errors import UserError
from homarus.meter import Meter
from homarus.models.basic.model import BASIC_REF, BasicModel
from homarus.models.contract import Model, ModelInfo
from homarus.models.cooldown import Cooldowns
from homarus.models.failover import FailoverModel
from homarus.models.http import HttpClient
from homarus.models.metered import MeteredModel
from homarus.models.openai_chat import Endpoint, OpenAIChatModel
from homarus.models.retry import HASTY, PATIENT, RetryPolicy, with_retries
from homarus.models.settings import CatalogueSettings, ModelSettings, ProviderSettings

SPOKEN_APIS = frozenset({"openai-completions", "ollama"})
"""Values of `api` that can be spoken; Ollama serves the same protocol under /v1."""


class Catalogue:
    """The models of one process. Local servers found later are added with `add_found`."""

    def __init__(self, settings: CatalogueSettings, http: HttpClient, clock: Clock, meter: Meter | None = None) -> None:
        self._settings = settings
        self._meter = meter or Meter()
        self._http = http
        self._clock = clock
        self._cooldowns = Cooldowns(clock)
        self._providers = {provider.id: provider for provider in settings.providers}
        self._found: dict[str, ProviderSettings] = {}
        self._basic = BasicModel(clock, self._found_refs)

    @property
    def default_ref(self) -> str:
        """Return the reference of the default model."""
        return self._expand(self._settings.primary) if self._settings.primary else BASIC_REF

    def configure(self, settings: CatalogueSettings) -> None:
        """Take over changed settings; turns that run keep the models they have."""
        self._settings = settings
        self._providers = {provider.id: provider for provider in settings.providers}

    def add_found(self, provider: ProviderSettings) -> None:
        """Add a local server; a configured provider of the same name wins."""
        if provider.id not in self._providers:
            self._found[provider.id] = provider

    def resolve(self, ref: str | None) -> Model:
        """Return a model, the default for None. Raises UserError for an unknown one.

        The default and its fallbacks stand in for each other; any other model stands alone.
        """
        default = [self.default_ref, *map(self._expand, self._settings.fallbacks)]
        asked = default[0] if ref is None else self._expand(ref)
        return self.chain([asked, *default] if asked in default else [asked])

    def chain(self, refs: Sequence[str]) -> Model:
        """Return one model that tries these in order. Raises UserError for an unknown one."""
        unique = list(dict.fromkeys(map(self._expand, refs)))
        if len(unique) == 1:
            return self._build(unique[0], PATIENT)
        return FailoverModel([self._build(ref, HASTY) for ref in unique], self._cooldowns, self._clock)

    def list_models(self) -> tuple[ModelInfo, ...]:
        """Return every model that can be used now, the built-in one last."""
        listed = [
            _info_of(provider, model)
            for provider in (*self._providers.values(), *self._found.values())
            for model in provider.models
            if (model.api or provider.api) in SPOKEN_APIS
        ]
        return (*listed, self._basic.info)

    def _found_refs(self) -> tuple[str, ...]:
        return tuple(f"{provider.id}/{model.id}" for provider in self._found.values() for model in provider.models)

    def _expand(self, ref: str) -> str:
        """Turn an alias, or a model id that only one provider has, into `provider/id`."""
        ref = self._settings.aliases.get(ref, ref)
        if ref.partition("/")[0] in {*self._providers, *self._found, "homarus"}:
            return ref
        matches = [info.ref for info in self.list_models() if info.id == ref]
        return matches[0] if len(matches) == 1 else ref

    def _build(self, ref: str, policy: RetryPolicy) -> Model:
        if ref == BASIC_REF:
            return MeteredModel(self._basic, self._meter, self._clock)
        provider, model = self._find(ref)
        api = model.api or provider.api
        if api not in SPOKEN_APIS:
            raise UserError(
                f"{ref} needs the protocol {api}, which cannot be spoken yet",
                fix=f"Use a model with api openai-completions, or set models.providers.{provider.id}.api to it if "
                "the server offers that too.",
            )
        # Ollama's native protocol has its own paths; the one spoken here is under /v1.
        base = provider.base_url.rstrip("/")
        base = f"{base}/v1" if api == "ollama" and not base.endswith("/v1") else base
        key = provider.api_key if provider.auth_header else None
        headers = {**provider.headers, **model.headers}
        endpoint = Endpoint(base, key, headers, model.compat.over(provider.compat))
        info = _info_of(provider, model)
        model_ = OpenAIChatModel(info, endpoint, self._http, self._clock)
        return with_retries(MeteredModel(model_, self._meter, self._clock), self._clock, policy)

    def _find(self, ref: str) -> tuple[ProviderSettings, ModelSettings]:
        provider_id, _, model_id = ref.partition("/")
        provider = self._providers.get(provider_id) or self._found.get(provider_id)
        if provider is not None and model_id:
            model = next((model for model in provider.models if model.id == model_id), None)
            if model is None and provider.is_open_ended:
                model = ModelSettings(model_id, context_window=128_000)
            if model is not None:
                return provider, model
        raise UserError(f'there is no model "{ref}"', fix=self._suggest(ref))

    def _suggest(self, ref: str) -> str:
        from difflib import get_close_matches  # noqa: PLC0415 - 140 kB for a mistake

        known = [info.ref for info in self.list_models()]
        close = get_close_matches(ref, known, n=1, cutoff=0.5)
        meant = f'Did you mean "{close[0]}"? ' if close else ""
        return f"{meant}Known models: {', '.join(known[:10])}. Add others under models.providers in homarus.json."


def _info_of(provider: ProviderSettings, model: ModelSettings) -> ModelInfo:
    return ModelInfo(
        provider=provider.id,
        id=model.id,
        name=model.name or model.id,
        context_window=model.context_window,
        max_tokens=model.max_tokens,
        has_vision=model.has_vision,
        has_reasoning=model.has_reasoning,
        has_tools=model.compat.over(provider.compat).supports_tools is not False,
    )
