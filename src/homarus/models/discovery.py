"""Finds model servers that run on this machine, in the background and without delaying anything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec import Struct

from homarus.models.http import HttpClient, HttpFailure
from homarus.models.providers import KNOWN_PROVIDERS
from homarus.models.settings import ModelSettings, ProviderSettings
from homarus.models.wire.json_value import JsonObject, as_count, as_object, as_objects, as_text, parse_json

_WITHIN = 0.3
"""Seconds for one probe; a local server answers in a few milliseconds."""
_MAX_BODY = 1024 * 1024
_MAX_MODELS = 200
_LOCAL_CONTEXT = 8192
"""Tokens. Local servers cut longer prompts silently, so the small common default is the safe guess."""
_LOCAL_OUTPUT = 2048


class Probe(Struct, frozen=True):
    """Where to look for a server: `base_url` without path, `path` of its model list, `rows` the list's field."""

    provider: str
    base_url: str
    path: str
    rows: str
    name: str


def local_probes(
    *, ollama: str = "http://127.0.0.1:11434", llamacpp: str = "http://127.0.0.1:8080"
) -> tuple[Probe, ...]:
    """Return where Ollama and llama.cpp listen by default."""
    return (
        Probe("ollama", ollama.rstrip("/"), "/api/tags", "models", "name"),
        Probe("llamacpp", llamacpp.rstrip("/"), "/v1/models", "data", "id"),
    )


async def discover_local(
    http: HttpClient, found: Callable[[ProviderSettings], None], probes: tuple[Probe, ...] | None = None
) -> None:
    """Probe every address at once and report each server that answers; silence and nonsense mean not there."""
    async with asyncio.TaskGroup() as group:
        for probe in local_probes() if probes is None else probes:
            group.create_task(_look(http, probe, found))


async def _look(http: HttpClient, probe: Probe, found: Callable[[ProviderSettings], None]) -> None:
    try:
        async with http.get(probe.base_url + probe.path, within=_WITHIN) as reply:
            body = await reply.read_up_to(_MAX_BODY) if reply.status == 200 else b""
    except HttpFailure:
        return
    rows = list(as_objects(as_object(parse_json(body)).get(probe.rows)))[:_MAX_MODELS]
    models = tuple(_read_model(row, probe) for row in rows if as_text(row.get(probe.name)))
    if models:
        compat = KNOWN_PROVIDERS[probe.provider].compat
        found(ProviderSettings(probe.provider, f"{probe.base_url}/v1", models=models, compat=compat))


def _read_model(row: JsonObject, probe: Probe) -> ModelSettings:
    model_id = as_text(row.get(probe.name))
    context = as_count(as_object(row.get("meta")).get("n_ctx")) or _LOCAL_CONTEXT
    name = model_id.rsplit("/", 1)[-1].removesuffix(".gguf").removesuffix(":latest")
    return ModelSettings(model_id, name, context, min(_LOCAL_OUTPUT, context))
