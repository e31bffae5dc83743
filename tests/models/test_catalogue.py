from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
from tests.models.scripted import FastClock, events_of

from homarus.config.schema import Config
from homarus.config.secret import Secret
from homarus.errors import UserError
from homarus.models.catalogue import Catalogue
from homarus.models.configured import settings_from_config, timeouts_from_config
from homarus.models.contract import Completed, Failed, FailureKind
from homarus.models.discovery import discover_local, local_probes
from homarus.models.http import HttpClient, Timeouts
from homarus.models.settings import CatalogueSettings, Compat, ProviderSettings
from homarus.testing.model_server import ModelServer, Refuse, Say


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient(Timeouts(first=2.0, idle=2.0))
    yield client
    await client.close()


def provider(url: str, *models: str, **fields: object) -> dict[str, object]:
    return {"baseUrl": url, "apiKey": "k", "models": [{"id": name, "name": name} for name in models], **fields}


def config(providers: dict[str, object] | None = None, model: object = None, **defaults: object) -> Config:
    chosen = {} if model is None else {"model": model}
    return Config.model_validate(
        {"models": {"providers": providers or {}}, "agents": {"defaults": {**chosen, **defaults}}}
    )


def catalogue(http: HttpClient, of: Config, **environment: str) -> Catalogue:
    return Catalogue(settings_from_config(of, environment), http, FastClock())


async def test_with_nothing_configured_the_built_in_model_answers(http: HttpClient) -> None:
    empty = catalogue(http, config())
    assert empty.resolve(None).info.ref == "homarus/basic"
    assert [info.ref for info in empty.list_models()] == ["homarus/basic"]


async def test_the_configured_default_answers_and_falls_back(http: HttpClient) -> None:
    async with ModelServer() as first, ModelServer() as second:
        of = config(
            {"a": provider(first.base_url, "x"), "b": provider(second.base_url, "y/z")},
            {"primary": "a/x", "fallbacks": ["b/y/z"]},
        )
        models = catalogue(http, of)
        first.will(Refuse(401))
        second.will(Say("from b"))
        last = (await events_of(models.resolve(None)))[-1]
        assert isinstance(last, Completed)
        assert last.message.text == "from b"
        assert second.requests[0].body["model"] == "y/z"
        assert models.resolve("b/y/z").info.ref == "b/y/z"


async def test_a_model_outside_the_default_chain_stands_alone(http: HttpClient) -> None:
    async with ModelServer() as server:
        models = catalogue(http, config({"a": provider(server.base_url, "x", "y")}, "a/x"))
        server.will(Refuse(401))
        last = (await events_of(models.resolve("a/y")))[-1]
        assert isinstance(last, Failed)
        assert last.kind is FailureKind.AUTH


async def test_aliases_and_bare_ids_are_understood(http: HttpClient) -> None:
    of = config({"a": provider("http://h/v1", "x", "y")}, "fast", models={"a/x": {"alias": "fast"}})
    models = catalogue(http, of)
    assert models.default_ref == "a/x"
    assert [models.resolve(ref).info.ref for ref in (None, "fast", "y", "a/y")] == ["a/x", "a/x", "a/y", "a/y"]


async def test_an_unknown_model_is_refused_with_the_nearest_one(http: HttpClient) -> None:
    models = catalogue(http, config({"acme": provider("http://h/v1", "large")}))
    with pytest.raises(UserError, match='there is no model "acme/larg"') as caught:
        models.resolve("acme/larg")
    assert 'Did you mean "acme/large"?' in (caught.value.fix or "")


async def test_a_protocol_that_cannot_be_spoken_is_said_so_and_not_listed(http: HttpClient) -> None:
    models = catalogue(http, config({"a": provider("http://h", "x", api="anthropic-messages")}))
    with pytest.raises(UserError, match="anthropic-messages"):
        models.resolve("a/x")
    assert [info.ref for info in models.list_models()] == ["homarus/basic"]


async def test_a_key_in_the_environment_opens_a_known_provider(http: HttpClient) -> None:
    models = catalogue(http, config(model="openrouter/some/model"), OPENROUTER_API_KEY="k")
    assert models.resolve(None).info.ref == "openrouter/some/model"
    with pytest.raises(UserError):
        catalogue(http, config()).resolve("openrouter/some/model")


def test_configuration_is_read_with_its_compat_switches() -> None:
    entry = {
        "id": "x", "name": "X", "contextWindow": 32000, "contextTokens": 16000, "maxTokens": 1000, "reasoning": True,
        "input": ["text", "image"], "compat": {"maxTokensField": "max_tokens", "supportsTools": False},
    }  # fmt: skip
    of = config({"openai": {"baseUrl": "http://h/v1", "models": [entry]}})
    settings = settings_from_config(of, {"OPENAI_API_KEY": "from env"})
    (read,) = settings.providers
    (model,) = read.models
    assert read.api_key == Secret("from env")
    assert (model.context_window, model.max_tokens) == (16000, 1000)
    assert (model.has_vision, model.has_reasoning) == (True, True)
    merged = model.compat.over(read.compat)
    assert merged == Compat(
        max_tokens_field="max_tokens", supports_tools=False, supports_store=True, supports_reasoning_effort=True
    )


@pytest.mark.parametrize(
    ("llm", "idle"), [({}, 60.0), ({"idleTimeoutSeconds": 5}, 5.0), ({"idleTimeoutSeconds": 0}, 1800.0)]
)
def test_the_idle_timeout_is_configured(llm: dict[str, object], idle: float) -> None:
    assert timeouts_from_config(config(llm=llm)).idle == idle


async def test_local_servers_are_found_and_answer(http: HttpClient) -> None:
    async with ModelServer(("llama3.2:latest",)) as ollama, ModelServer(("/m/qwen.gguf",)) as llama:
        models = Catalogue(CatalogueSettings(), http, FastClock())
        await discover_local(http, models.add_found, local_probes(ollama=ollama.url, llamacpp=llama.url))
        listed = {info.ref: info.name for info in models.list_models()}
        assert listed["ollama/llama3.2:latest"] == "llama3.2"
        assert listed["llamacpp//m/qwen.gguf"] == "qwen"
        last = (await events_of(models.resolve("ollama/llama3.2:latest")))[-1]
        assert isinstance(last, Completed)
        assert last.message.text == "echo: hi"
        assert models.resolve(None).info.ref == "homarus/basic"
        help_text = (await events_of(models.resolve(None)))[-1]
        assert isinstance(help_text, Completed)


async def test_a_machine_without_local_servers_is_no_error(http: HttpClient) -> None:
    found: list[ProviderSettings] = []
    probes = local_probes(ollama="http://127.0.0.1:1", llamacpp="http://127.0.0.1:1")
    await discover_local(http, found.append, probes)
    assert not found


async def test_a_configured_provider_wins_over_a_found_one(http: HttpClient) -> None:
    models = catalogue(http, config({"ollama": provider("http://h/v1", "mine")}))
    models.add_found(ProviderSettings("ollama", "http://127.0.0.1:11434/v1"))
    assert [info.ref for info in models.list_models()] == ["ollama/mine", "homarus/basic"]


def test_an_idle_catalogue_needs_no_http_client_and_no_vendor_library() -> None:
    heavy = "('aiohttp', 'openai', 'pydantic')"
    code = f"import sys, homarus.models.catalogue; print([n for n in {heavy} if n in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=150)
    assert ran.stdout.strip() == "[]"
