from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from tests.gateway.fake_clock import FakeClock
from tests.gateway.fake_services import TOKEN, make_services
from tests.ports import reserved_port

from homarus.errors import UserError
from homarus.gateway.port_owner import port_owner
from homarus.gateway.server import GatewayServer
from homarus.gateway.settings import AuthSettings, GatewaySettings


async def test_busy_port_names_who_holds_it_and_what_to_do(tmp_path: Path) -> None:
    services, _runs = make_services(tmp_path)
    server = GatewayServer(services, GatewaySettings(auth=AuthSettings(token=TOKEN)))
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        with pytest.raises(UserError) as caught:
            await server.start(port=port)
    await services.database.close()
    assert f"port {port} is taken" in caught.value.message
    assert f"(pid {os.getpid()})" in caught.value.message
    assert caught.value.fix == f"stop that process, or start with `--port {port + 1}`"


async def test_foreign_address_is_refused_with_its_fix(tmp_path: Path) -> None:
    services, _runs = make_services(tmp_path)
    server = GatewayServer(services, GatewaySettings(auth=AuthSettings(token=TOKEN)))
    with pytest.raises(UserError, match=r"203\.0\.113\.7 is no address of this machine"):
        await server.start(host="203.0.113.7", port=0)
    await services.database.close()


def test_nobody_holds_a_free_port() -> None:
    with reserved_port() as port:
        assert port_owner(port) is None


async def test_login_url_is_a_one_time_link_to_the_page(tmp_path: Path) -> None:
    services, _runs = make_services(tmp_path, clock=FakeClock())
    server = GatewayServer(services, GatewaySettings(auth=AuthSettings(token=TOKEN)))
    await server.start(port=0)
    first, second = server.create_login_url(), server.create_login_url()
    assert first is not None
    assert first.startswith(f"http://127.0.0.1:{server.port}/#code=")
    assert first != second
    await server.stop()
    await services.database.close()
