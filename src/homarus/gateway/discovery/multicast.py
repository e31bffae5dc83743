"""Sending and hearing mDNS, with the `zeroconf` package of the extra `discovery`."""

from __future__ import annotations

import asyncio
import logging
import socket
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, Literal, cast

from homarus.errors import ConfigError, Transient
from homarus.gateway.discovery.beacon import SERVICE, Beacon, read_beacon, texts_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from zeroconf import ServiceInfo
    from zeroconf.asyncio import AsyncZeroconf

log = logging.getLogger("homarus.gateway.discovery")

RESOLVE_TIMEOUT_MS: Final = 3000
MAX_FOUND: Final = 64
"""Gateways looked at in one search; a flood of records ends there."""


def check_installed() -> None:
    """Raise ConfigError when mDNS was asked for and the extra is not installed."""
    if find_spec("zeroconf") is None:
        fix = "install it: pip install 'homarus[discovery]'"
        raise ConfigError("mDNS needs the package `zeroconf`", path="discovery.mdns.mode", fix=fix)


async def advertise(beacon: Beacon, mode: Literal["minimal", "full"]) -> None:
    """Answer for the gateway on its own addresses until cancelled. Raises Transient when the network is not there."""
    info = _service(beacon, mode)
    network = _open(beacon.addresses)
    try:
        register = cast("Callable[..., Awaitable[Awaitable[None]]]", network.async_register_service)  # pyright: ignore[reportUnknownMemberType]
        await (await register(info, allow_name_change=True))
        log.info("found on the network as %r", info.name.removesuffix(f".{SERVICE}"))
        await asyncio.get_running_loop().create_future()
    finally:
        await network.async_unregister_all_services()
        await network.async_close()


async def browse(seconds: float, interfaces: Sequence[str] | None = None) -> list[Beacon]:
    """Return the gateways that answer within some seconds, by name. Raises Transient, ConfigError."""
    check_installed()
    from zeroconf.asyncio import AsyncServiceBrowser  # noqa: PLC0415 - an extra, for those who use it

    network, names = _open(interfaces), dict[str, None]()

    def hear(zeroconf: object, service_type: str, name: str, state_change: object) -> None:  # noqa: ARG001
        if len(names) < MAX_FOUND:
            names[name] = None

    try:
        browser = AsyncServiceBrowser(network.zeroconf, SERVICE, handlers=[hear])
        await _wait(seconds)
        await browser.async_cancel()
        found = await asyncio.gather(*(_resolve(network, name) for name in names))
    finally:
        await network.async_close()
    return sorted((beacon for beacon in found if beacon is not None), key=lambda beacon: beacon.name)


async def _wait(seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await asyncio.get_running_loop().create_future()
    except TimeoutError:
        return


async def _resolve(network: AsyncZeroconf, name: str) -> Beacon | None:
    from zeroconf import IPVersion  # noqa: PLC0415 - an extra, for those who use it
    from zeroconf.asyncio import AsyncServiceInfo  # noqa: PLC0415

    info = AsyncServiceInfo(SERVICE, name)
    if not await info.async_request(network.zeroconf, RESOLVE_TIMEOUT_MS):
        return None
    return read_beacon(name, info.port, tuple(info.parsed_addresses(IPVersion.V4Only)), info.properties)


def _open(interfaces: Sequence[str] | None) -> AsyncZeroconf:
    from zeroconf import InterfaceChoice, IPVersion  # noqa: PLC0415 - an extra, for those who use it
    from zeroconf.asyncio import AsyncZeroconf  # noqa: PLC0415

    try:
        chosen = InterfaceChoice.All if interfaces is None else list(interfaces)
        return AsyncZeroconf(interfaces=chosen, ip_version=IPVersion.V4Only)
    except OSError as error:
        raise Transient(
            f"multicast is not possible here: {error.strerror or error}", fix="check the network"
        ) from error


def _service(beacon: Beacon, mode: Literal["minimal", "full"]) -> ServiceInfo:
    from zeroconf import ServiceInfo  # noqa: PLC0415 - an extra, for those who use it

    label = beacon.name.replace(".", " ").encode()[:60].decode("utf-8", "ignore")
    return ServiceInfo(
        SERVICE,
        f"{label}.{SERVICE}",
        addresses=[socket.inet_aton(address) for address in beacon.addresses],
        port=beacon.port,
        properties=dict(texts_of(beacon, mode)),
        server=f"{beacon.label}.local.",
    )
