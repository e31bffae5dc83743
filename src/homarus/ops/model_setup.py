"""Which keys connect a model, and which models a server has."""

from __future__ import annotations

from typing import Final, cast
from urllib.parse import urlsplit

from msgspec import Struct

from homarus.errors import UserError
from homarus.models.basic.model import BASIC_REF
from homarus.models.http import HttpClient, HttpFailure
from homarus.models.providers import KNOWN_PROVIDERS, KnownProvider
from homarus.models.wire.json_value import as_count, as_object, as_objects, as_text, parse_json
from homarus.ops.draft import Draft

BASIC: Final = "basic"
CUSTOM: Final = "custom"
PROVIDERS: Final = (BASIC, *KNOWN_PROVIDERS, CUSTOM)

LIST_SECONDS: Final = 10.0
MAX_LIST: Final = 4 * 1024 * 1024
MAX_MODELS: Final = 2000
LOCAL_CONTEXT: Final = 8192
"""Tokens. Servers on this machine cut longer prompts silently, so their small common default is the safe guess."""

PREFERRED: Final = {
    "openai": ("gpt-5-mini", "gpt-4.1-mini", "gpt-4o-mini"),
    "openrouter": ("openrouter/auto",),
    "mistral": ("mistral-medium-latest", "mistral-small-latest"),
    "deepseek": ("deepseek-chat",),
    "groq": ("openai/gpt-oss-120b", "llama-3.3-70b-versatile"),
    "qwen": ("qwen-plus",),
}
"""Models proposed first, where the provider still lists them."""


class Offer(Struct, frozen=True):
    """A model that a server lists. `context` is in tokens, None when it does not say."""

    id: str
    context: int | None = None


class Server(Struct, frozen=True):
    """A provider as it was chosen. `key` is a reference such as `${OPENAI_API_KEY}`, `secret` what it stands for."""

    provider: str
    base_url: str
    key: str | None = None
    secret: str | None = None

    @property
    def is_local(self) -> bool:
        """Tell whether it runs on this machine."""
        return (urlsplit(self.base_url).hostname or "") in {"127.0.0.1", "localhost", "::1"}


def key_name(provider: str) -> str | None:
    """Return the variable for the key of a provider; None for one that wants none."""
    row = KNOWN_PROVIDERS.get(provider)
    return row.key_name if row else "HOMARUS_MODEL_KEY"


def asked_address(provider: str) -> str | None:
    """Return the address to propose to a person; None for a provider whose address nobody is asked for."""
    row = KNOWN_PROVIDERS.get(provider)
    if row is None:
        return ""
    return row.base_url if row.key_name is None else None


def server_of(draft: Draft, provider: str, base_url: str | None, key: str | None = None) -> Server:
    """Return the server of a provider; the draft knows what `key` stands for.

    Raises UserError for an unknown provider, and for `custom` without an address.
    """
    row: KnownProvider | None = KNOWN_PROVIDERS.get(provider)
    if row is None and provider != CUSTOM:
        raise UserError(f"there is no provider {provider!r}", fix=f"choose one of: {', '.join(PROVIDERS)}")
    address = base_url or (row.base_url if row else "")
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        how = "write it as" if base_url else "add --base-url, such as"
        raise UserError(f"{address!r} is no address of a model server", fix=f"{how} http://host.example:8000/v1")
    return Server(provider, address.rstrip("/"), key, draft.variable(key[2:-1]) if key else None)


async def list_offers(server: Server) -> tuple[Offer, ...]:
    """Ask a server which models it has; nothing when it does not tell."""
    http = HttpClient()
    try:
        body = await _fetch_list(server, http)
    finally:
        await http.close()
    value = parse_json(body)
    rows = list(as_objects(as_object(value).get("data") or value))[:MAX_MODELS]
    return tuple(_offer(row) for row in rows if as_text(row.get("id")))


async def _fetch_list(server: Server, http: HttpClient) -> bytes:
    headers = {"Authorization": f"Bearer {server.secret}"} if server.secret else {}
    try:
        async with http.get(f"{server.base_url}/models", within=LIST_SECONDS, headers=headers) as reply:
            return await reply.read_up_to(MAX_LIST) if reply.status == 200 else b""
    except HttpFailure:
        return b""


def _offer(row: dict[str, object]) -> Offer:
    sizes = (row.get("context_length"), row.get("max_model_len"), as_object(row.get("meta")).get("n_ctx"))
    return Offer(as_text(row.get("id")), next((size for size in map(as_count, sizes) if size), None))


def propose(server: Server, offers: tuple[Offer, ...]) -> str | None:
    """Return the model to propose: a preferred one that is listed, or the only one; None when nobody can tell."""
    listed = [offer.id for offer in offers]
    preferred = PREFERRED.get(server.provider, ())
    found = next((name for name in preferred if name in listed), None)
    if found is None and not listed and preferred:
        return preferred[0]
    return found or (listed[0] if len(listed) == 1 or (listed and server.is_local) else None)


def expect_model_name(text: str) -> None:
    """Raise UserError for an empty name of a model."""
    if not text:
        raise UserError("a name is needed", fix="write the name of the model as the provider does")


def basic_values(draft: Draft) -> dict[str, object]:
    """Return the keys that make the built-in rules answer."""
    return _primary(draft, BASIC_REF)


def model_values(draft: Draft, server: Server, model: str, offers: tuple[Offer, ...]) -> dict[str, object]:
    """Return the keys that make a model of a server the default; models that are listed already stay listed."""
    context = next((offer.context for offer in offers if offer.id == model), None)
    head = f'models.providers["{server.provider}"]'
    values: dict[str, object] = {f"{head}.baseUrl": server.base_url}
    if server.key is not None:
        values[f"{head}.apiKey"] = server.key
    values[f"{head}.models"] = _models(draft, head, server, model, context)
    return values | _primary(draft, f"{server.provider}/{model}")


def _models(draft: Draft, head: str, server: Server, model: str, context: int | None) -> list[object]:
    """Return the list of models; a known provider without a list takes any name."""
    written = draft.written(f"{head}.models")
    listed = list(cast("list[object]", written)) if isinstance(written, list) else []
    is_open = server.provider in KNOWN_PROVIDERS and not server.is_local
    if (is_open and not listed) or any(as_object(entry).get("id") == model for entry in listed):
        return listed
    size = context or (LOCAL_CONTEXT if server.is_local else None)
    entry: dict[str, object] = {"id": model, "name": model}
    return [*listed, entry | ({"contextWindow": size} if size else {})]


def _primary(draft: Draft, ref: str) -> dict[str, object]:
    if isinstance(draft.written("agents.defaults.model"), str):
        return {"agents.defaults.model": {"primary": ref}}
    return {"agents.defaults.model.primary": ref}
