"""The gateway server: binds the port, serves WebSocket and HTTP on it, and stops without cutting anyone off."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from aiohttp import web
from msgspec.structs import replace

from homarus.errors import UserError
from homarus.gateway.approval_events import announce_approval
from homarus.gateway.auth import SharedAuth
from homarus.gateway.bind import ALL_INTERFACES
from homarus.gateway.budget import PreauthBudget
from homarus.gateway.config_view import ConfigView
from homarus.gateway.core import GatewayCore
from homarus.gateway.devices import Devices
from homarus.gateway.handshake import Handshake
from homarus.gateway.health import HealthBoard
from homarus.gateway.http.page import Page
from homarus.gateway.http.rates import CallerRates
from homarus.gateway.http.routes import Routes
from homarus.gateway.hub import EventHub
from homarus.gateway.operations.catalogue import build_registry
from homarus.gateway.operations.registry import WRITE_WINDOW, WRITES_PER_WINDOW
from homarus.gateway.port_owner import port_owner
from homarus.gateway.presence import Presence
from homarus.gateway.pulse import Pulse
from homarus.gateway.rate_limit import AuthLimiter, CallLimiter
from homarus.gateway.run_feed import RunFeed
from homarus.gateway.services import Services
from homarus.gateway.session_feed import SessionFeed
from homarus.gateway.settings import LOOPBACK, GatewaySettings
from homarus.gateway.setup_codes import SetupCodes
from homarus.gateway.supervisor import Supervisor
from homarus.gateway.tokens import BrowserTokens, LoginCodes
from homarus.nodes.capability import Capabilities
from homarus.nodes.desk import NodeDesk
from homarus.protocol.errors import CLOSE_RESTART
from homarus.protocol.events import CRON, HEARTBEAT, SHUTDOWN, TICK
from homarus.protocol.names import TICK_INTERVAL_MS
from homarus.security.approvals import Approvals

if TYPE_CHECKING:
    from homarus.gateway.tls import ServerTls
    from homarus.gateway.vouching import Voucher

log = logging.getLogger("homarus.gateway")

STOP_TIMEOUT: Final = 1.5
"""Seconds clients get to take the shutdown event and close."""
BACKLOG: Final = 128


def build_core(services: Services, settings: GatewaySettings, supervisor: Supervisor | None = None) -> GatewayCore:
    """Return the parts of a gateway, wired."""
    clock, database = services.clock, services.database
    hub = EventHub()
    limiter = AuthLimiter(clock, settings.limits)
    browsers = BrowserTokens(database, clock)
    auth = SharedAuth(settings.auth, browsers, limiter, _voucher(settings), settings.browser)
    devices = Devices(database, clock)
    setup_codes = SetupCodes(database, clock)
    session_feed = SessionFeed(services, hub)
    approvals = Approvals(database, clock)
    approvals.listen(lambda event, approval: announce_approval(hub, clock, event, approval))
    return GatewayCore(
        services=services,
        settings=settings,
        registry=build_registry(),
        hub=hub,
        presence=Presence(clock),
        pulse=Pulse(clock),
        health=HealthBoard(services),
        devices=devices,
        auth=auth,
        limiter=limiter,
        writes=CallLimiter(clock, WRITES_PER_WINDOW, WRITE_WINDOW),
        rates=CallerRates(clock),
        handshake=Handshake(
            auth, devices, limiter, settings.browser, hub, clock, setup_codes, approves_local=settings.approves_local
        ),
        budget=PreauthBudget(),
        feed=RunFeed(hub, clock, session_feed.snapshot),
        session_feed=session_feed,
        browsers=browsers,
        logins=LoginCodes(clock),
        setup_codes=setup_codes,
        nodes=NodeDesk(
            database,
            clock,
            hub.tell,
            lambda: services.config.current.config.gateway.nodes,
        ),
        capabilities=Capabilities(clock),
        approvals=approvals,
        started_at=clock.monotonic(),
        instance_id=clock.uuid(),
        config_view=ConfigView(),
        background=supervisor.tasks if supervisor is not None else lambda: (),
    )


def _voucher(settings: GatewaySettings) -> Voucher | None:
    """Return who vouches for users that show no secret, None when nobody does."""
    if settings.auth.proxy is not None:
        from homarus.gateway.proxy_identity import TrustedProxy  # noqa: PLC0415 - most gateways have no proxy

        return TrustedProxy(settings.auth.proxy)
    if settings.tailscale.takes_identities:
        from homarus.gateway.tailscale.whois import TailscaleIdentities  # noqa: PLC0415 - most have no tailnet

        return TailscaleIdentities(settings.tailscale.socket)
    return None


class GatewayServer:
    """One gateway. `run` it in a task group, or `start` and `stop` it."""

    def __init__(self, services: Services, settings: GatewaySettings, page: Page | None = None) -> None:
        self._supervisor = Supervisor(services.clock)
        core = build_core(services, settings, self._supervisor)
        self.core = replace(core, tls_fingerprint=lambda: self.tls_fingerprint, port=lambda: self.port)
        self._routes = Routes(self.core, page or Page())
        self._runner: web.AppRunner | None = None
        self._unlisten: list[Callable[[], None]] = []
        self._site: web.TCPSite | None = None
        self._is_leaving = False
        self._tls: ServerTls | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Return the address of the page on this machine, without a slash at the end."""
        host = self.core.settings.host
        scheme = "http" if self.core.settings.tls is None else "https"
        return f"{scheme}://{LOOPBACK if host == ALL_INTERFACES else host}:{self.port}"

    @property
    def tls_fingerprint(self) -> str | None:
        """Return the SHA-256 of the certificate that is served, None without TLS."""
        return None if self._tls is None else self._tls.fingerprint

    def create_login_url(self) -> str | None:
        """Return a link that signs one browser in, once, within ten minutes; None when the page is switched off."""
        if not self.core.settings.browser.is_enabled:
            return None
        return f"{self.url}/#code={self.core.logins.create()}"

    async def start(self, host: str | None = None, port: int | None = None) -> int:
        """Bind, begin to serve and return the port.

        Raises UserError when the port is taken or cannot be bound, ConfigError when the certificate is unusable.
        """
        settings = self.core.settings
        host = settings.host if host is None else host
        wanted = settings.port if port is None else port
        self._tls = self._open_tls()
        runner = web.AppRunner(self._routes.application(), access_log=None, shutdown_timeout=STOP_TIMEOUT)
        await runner.setup()
        context = None if self._tls is None else self._tls.context
        site = web.TCPSite(runner, host, wanted, backlog=BACKLOG, ssl_context=context)
        try:
            await site.start()
        except OSError as error:
            await runner.cleanup()
            raise _bind_error(host, wanted, error) from error
        self._runner, self._site, self._is_leaving = runner, site, False
        self.port = int(runner.addresses[0][1])
        self._begin()
        return self.port

    async def announce_stop(self, reason: str = "service restart", restart_expected_ms: int | None = None) -> None:
        """Take no new connections and tell clients that the end is near; those that are connected go on for now."""
        if self._is_leaving:
            return
        self._is_leaving = True
        if self._site is not None:
            await self._site.stop()
        self.core.hub.broadcast(SHUTDOWN, {"reason": reason, "restartExpectedMs": restart_expected_ms})

    async def stop(self, reason: str = "service restart", restart_expected_ms: int | None = None) -> None:
        """Tell clients, close their connections with 1012, and stop serving."""
        for unlisten in self._unlisten:
            unlisten()
        self._unlisten.clear()
        await self.announce_stop(reason, restart_expected_ms)
        await self._routes.disconnect_all(CLOSE_RESTART, "service restart", STOP_TIMEOUT)
        await self._supervisor.stop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _open_tls(self) -> ServerTls | None:
        settings, services = self.core.settings.tls, self.core.services
        if settings is None:
            return None
        from homarus.gateway.tls import open_tls, tls_folder  # noqa: PLC0415 - most gateways serve without

        return open_tls(settings, tls_folder(services.state_dir), services.clock)

    def _begin(self) -> None:
        runs = self.core.services.runs
        self._unlisten = [runs.listen(self.core.feed.listen), runs.listen(self.core.session_feed.listen)]
        if self.core.services.jobs is not None:
            hub = self.core.hub
            self._unlisten.append(self.core.services.jobs.listen(lambda event: hub.broadcast(CRON, event)))
        if self.core.services.hearts is not None:
            hub = self.core.hub
            self._unlisten.append(self.core.services.hearts.listen(lambda event: hub.broadcast(HEARTBEAT, event)))
        self._supervisor.start("ticks", self._tick)
        self._supervisor.start("pulse", self.core.pulse.run)
        self._supervisor.start("health", lambda: self.core.health.run(self.core))
        self._supervisor.start("session feed", self.core.session_feed.run)
        self._supervisor.start("run feed", self.core.feed.run)

    async def _tick(self) -> None:
        clock = self.core.services.clock
        while True:
            await clock.sleep(TICK_INTERVAL_MS / 1000)
            self.core.hub.broadcast(TICK, {"ts": clock.now_ms()})


def _bind_error(host: str, port: int, error: OSError) -> UserError:
    where = f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        owner = port_owner(port)
        by = f" by {owner}" if owner else ""
        return UserError(f"port {port} is taken{by}", fix=f"stop that process, or start with `--port {port + 1}`")
    if error.errno == errno.EACCES:
        return UserError(f"not allowed to listen on {where}", fix="use a port above 1023")
    if error.errno == errno.EADDRNOTAVAIL:
        fix = "set gateway.bind to loopback or lan, or gateway.customBindHost to an address of this machine"
        return UserError(f"{host} is no address of this machine", fix=fix)
    return UserError(f"cannot listen on {where}: {error.strerror}", fix="choose another port or address")
