from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.gateway.conftest import Running

from homarus.config.discovery import Discovery
from homarus.errors import ConfigError
from homarus.gateway.discovery import multicast
from homarus.gateway.exposure import check_discovery, exposures

OPTIONAL = (
    *("tls", "self_signed", "proxy_identity", "socket_owner", "setup_url", "tailscale.whois", "tailscale.exposure"),
    *("tailscale.program", "tailscale.address", "discovery.multicast", "discovery.beacon"),
)
PROGRAM = """
import sys
import homarus.gateway.app
loaded = [name for name in {names} if name in sys.modules]
assert loaded == [], loaded
"""


def test_a_gateway_that_is_not_exposed_loads_nothing_for_it() -> None:
    names = [*(f"homarus.gateway.{name}" for name in OPTIONAL), "zeroconf", "ifaddr", "cryptography"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(names=names)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_optional_module_exists() -> None:
    folder = Path(multicast.__file__).parents[1]
    assert [name for name in OPTIONAL if not (folder / f"{name.replace('.', '/')}.py").exists()] == []


@pytest.mark.parametrize("mode", ["minimal", "full"])
def test_being_found_is_a_task_of_its_own(gateway: Running, mode: str) -> None:
    discovery = Discovery.model_validate({"mdns": {"mode": mode}})
    assert [name for name, _work in exposures(gateway.server, discovery)] == ["mdns"]


def test_a_start_without_the_extra_is_refused_when_being_found_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_name: str) -> None:
        return None

    monkeypatch.setattr(multicast, "find_spec", nothing)
    check_discovery(Discovery.model_validate({}))
    with pytest.raises(ConfigError) as caught:
        check_discovery(Discovery.model_validate({"mdns": {"mode": "minimal"}}))
    assert caught.value.path == "discovery.mdns.mode"
