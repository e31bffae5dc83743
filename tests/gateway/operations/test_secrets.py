from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.gateway.operations.desk import desk
from tests.gateway.raw_client import connected

from homarus.errors import ProtocolError
from homarus.gateway.caller import Caller
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.secrets import resolve_secrets
from homarus.gateway.peer import Peer
from homarus.protocol.secrets import SecretsResolveParams

KEY = {"source": "file", "provider": "vault", "id": "/openai"}
MISSING = {"source": "file", "provider": "vault", "id": "/nothing"}


def prepared(folder: Path) -> str:
    (folder / "vault.json").write_text(json.dumps({"openai": "sk-from-vault"}))
    (folder / "vault.json").chmod(0o600)
    models = [{"id": "m", "name": "m"}]
    providers = {
        "openai": {"baseUrl": "http://x/v1", "apiKey": KEY, "models": models},
        "plain": {"baseUrl": "http://x/v1", "apiKey": "sk-written", "models": models},
    }
    sources = {"vault": {"source": "file", "path": str(folder / "vault.json"), "mode": "json"}}
    return json.dumps({"secrets": {"providers": sources}, "models": {"providers": providers}})


async def test_references_are_resolved_for_a_client_on_this_machine(tmp_path: Path) -> None:
    async with desk(tmp_path, prepared(tmp_path)) as here:
        asked = {"commandName": "message send", "targetIds": ["models.providers.*.apiKey", "gateway.auth.token"]}
        found = await here.ok("secrets.resolve", asked)
        [one] = found["assignments"]
        assert (one["path"], one["value"]) == ("models.providers.openai.apiKey", "sk-from-vault")
        assert one["pathSegments"] == ["models", "providers", "openai", "apiKey"]
        assert (found["ok"], found["diagnostics"], found["inactiveRefPaths"]) == (True, [], [])


async def test_what_names_no_secret_is_refused(tmp_path: Path) -> None:
    async with desk(tmp_path, prepared(tmp_path)) as here:
        for target in ("models.providers.openai.baseUrl", "no.such", "*"):
            refusal = await here.refusal("secrets.resolve", {"commandName": "x", "targetIds": [target]})
            assert "unknown target id" in refusal
        assert "commandName" in await here.refusal("secrets.resolve", {"targetIds": []})


async def test_clients_elsewhere_and_without_admin_scope_get_nothing(tmp_path: Path) -> None:
    async with desk(tmp_path, prepared(tmp_path)) as here:
        asked = {"commandName": "x", "targetIds": ["models.providers.*.apiKey"]}
        async with connected(here.url, scopes=["operator.read", "operator.write"]) as reader:
            answer = await reader.call("secrets.resolve", asked)
            assert answer["error"]["message"] == "missing scope: operator.admin"
        far = Caller("far", Peer("203.0.113.9", is_local=False), scopes=frozenset({"operator.admin"}))
        params = SecretsResolveParams.model_validate({"commandName": "x", "targetIds": []})
        with pytest.raises(ProtocolError, match="own machine only"):
            await resolve_secrets.run(Call(here.core, far, "secrets.resolve"), params)
