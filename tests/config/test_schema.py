from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from homarus.config.schema import Config


def test_an_empty_file_loads_only_what_it_needs() -> None:
    code = (
        "import sys; from homarus.config.schema import Config; Config.model_validate({});"
        "print([m for m in sys.modules if m.startswith('homarus.config.') and m.rpartition('.')[2] in"
        " ('gateway', 'memory_search', 'sandboxing', 'agents', 'sessions')], 'json5' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=150)
    assert done.stdout.strip() == "[] False"


def test_sections_appear_with_their_defaults_when_asked_for() -> None:
    config = Config.model_validate({"gateway": {}})
    assert config.gateway.auth.rate_limit.lockout_ms == 300000
    assert config.agents.defaults.sandbox.docker.image == "openclaw-sandbox:bookworm-slim"
    assert config.session is config.session
    with pytest.raises(AttributeError):
        _ = config.nonsense  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType, reportUnknownMemberType]


def test_a_loaded_configuration_cannot_be_changed() -> None:
    config = Config.model_validate({})
    with pytest.raises(ValidationError):
        config.gateway.port = 5


WRONG: list[dict[str, object]] = [
    {"gateway": {"port": "1"}},
    {"gateway": {"port": True}},
    {"gateway": {"port": 70000}},
    {"agents": {"list": [{}]}},
    {"agents": {"defaults": {"custom_instructions": "x"}}},
    {"gateway": {"custom_bind_host": "x"}},
    {"session": {"sendPolicy": {"rules": [{}]}}},
    {"bindings": [{"type": "nope", "agentId": "a", "match": {"channel": "x"}}]},
    {"models": {"providers": {"x": {}}}},
]


@pytest.mark.parametrize("tree", WRONG)
def test_types_and_names_are_strict(tree: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Config.model_validate(tree)
