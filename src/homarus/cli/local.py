"""A gateway inside this process for one command: no channels, a token nobody else knows, gone at the end."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from msgspec.structs import replace

from homarus.cli.reach import Credentials, Target, socket_url
from homarus.clock import SystemClock
from homarus.config import environment
from homarus.config.channels import Channels
from homarus.config.load import load
from homarus.config.paths import StateDir
from homarus.errors import UserError
from homarus.gateway.app import GatewayOptions, open_application
from homarus.storage.lock import find_holder

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


@asynccontextmanager
async def local_gateway() -> AsyncGenerator[Target]:
    """Run a gateway on the state folder, on a free loopback port, while the block runs.

    Raises UserError when another one already uses the folder.
    """
    clock = SystemClock()
    state = StateDir.resolve(environment.process_environment())
    state.create()
    loaded = load(state.config_file, state.env)
    password = loaded.config.gateway.auth.password
    without_channels = replace(
        loaded, config=loaded.config.model_copy(update={"channels": Channels.model_validate({})})
    )
    token = clock.token()
    options = GatewayOptions(port=0, bind="loopback", token=token)
    if find_holder(state.root) is not None:
        raise UserError("a gateway runs on this state folder", fix="leave --local out, so that the gateway answers")
    async with AsyncExitStack() as stack:
        application, _ = await open_application(stack, state, without_channels, options, clock)
        credentials = Credentials(token, password.reveal() if password else None)
        url, pin = socket_url(application.server.url), application.server.tls_fingerprint
        yield Target(url, credentials, state.identity / "device.json", tls_fingerprint=pin)
