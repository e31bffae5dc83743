"""The composition: every room is built here, given what it needs, started in order and stopped in reverse."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from homarus import __version__
from homarus.channels import registry
from homarus.channels.policy_config import ChannelPolicyConfig
from homarus.channels.unused import unused_channel_keys
from homarus.clock import Clock, SystemClock
from homarus.config import environment
from homarus.config.load import LoadedConfig, load
from homarus.config.paths import StateDir
from homarus.config.token_file import read_or_create_token
from homarus.config.unused import unused_keys
from homarus.config.write import keep_last_good, load_or_last_good
from homarus.errors import ConfigError
from homarus.gateway.agent_skills import AgentSkills
from homarus.gateway.agents import ConfiguredAgents
from homarus.gateway.channel_host import ChannelHost
from homarus.gateway.channel_sections import channel_sections, section_issues
from homarus.gateway.configured import needs_own_token, read_settings
from homarus.gateway.desks import Messages, PairingRequests
from homarus.gateway.exposure import check_discovery, exposures
from homarus.gateway.incoming_files import IncomingFiles
from homarus.gateway.instruments import Instruments
from homarus.gateway.logs import open_logs
from homarus.gateway.post import HostPost
from homarus.gateway.prompt_ledger import PromptLedger
from homarus.gateway.reload import Reloader
from homarus.gateway.server import GatewayServer
from homarus.gateway.services import Services
from homarus.gateway.settings import GatewaySettings
from homarus.gateway.shutdown import StopSignal, drain
from homarus.gateway.spoken_replies import SpokenReplies
from homarus.gateway.supervisor import Supervisor
from homarus.gateway.timekeeping import Timekeeping, keep_time
from homarus.gateway.toolkit import Toolkit, open_toolkit
from homarus.gateway.topic_labels import TopicLabels
from homarus.gateway.turn_factory import AgentTurns, turns_of
from homarus.gateway.watchdog import Watchdog
from homarus.gateway.wizard import Flow, Wizards
from homarus.meter import Meter
from homarus.models.catalogue import Catalogue
from homarus.models.configured import settings_from_config, timeouts_from_config
from homarus.models.discovery import discover_local
from homarus.models.http import HttpClient
from homarus.nodes.voice.speaker import Speaker
from homarus.pipeline.accounts import Accounts
from homarus.pipeline.direct_send import DirectSend
from homarus.pipeline.pairing import Pairing
from homarus.pipeline.service import Parts, Pipeline
from homarus.sessions.store import Sessions
from homarus.storage.lock import StateLock, lock_database
from homarus.storage.media import MediaStore
from homarus.storage.opening import describe_lost_file, open_database

if TYPE_CHECKING:
    from homarus.config.schema import Config
    from homarus.gateway.core import GatewayCore
    from homarus.storage.database import Database
    from homarus.storage.records import InboundMessage

log = logging.getLogger("homarus.gateway")
UPKEEP_AFTER = 600.0
"""Seconds after the start until old rows are looked for."""


class Ready(Struct, frozen=True):
    """The gateway answers. `login_url` works once, for ten minutes; None when there is no page.

    `tls_fingerprint` is the SHA-256 of the served certificate, None without TLS.
    """

    url: str
    login_url: str | None
    warnings: tuple[str, ...] = ()
    tls_fingerprint: str | None = None


class GatewayOptions(Struct, frozen=True):
    """What the command line says; None leaves it to the environment and the configuration.

    `set_up` makes the questions of the wizard.
    """

    home: Path | None = None
    config: Path | None = None
    port: int | None = None
    bind: str | None = None
    token: str | None = None
    on_ready: Callable[[Ready], None] | None = None
    set_up: Callable[[StateDir, str | None], Flow] | None = None


class ConfigHolder:
    """The configuration in force; implements homarus.gateway.services.ConfigSource."""

    def __init__(self, loaded: LoadedConfig) -> None:
        self._loaded = loaded
        self.on_replaced: list[Callable[[], None]] = []

    @property
    def current(self) -> LoadedConfig:
        """Return the configuration in force."""
        return self._loaded

    def replace(self, loaded: LoadedConfig) -> None:
        """Put another configuration into force and tell those who wait for changes."""
        self._loaded = loaded
        for tell in self.on_replaced:
            tell()


class Application(Struct):
    """A composed gateway, not yet started."""

    pipeline: Pipeline
    host: ChannelHost
    supervisor: Supervisor
    server: GatewayServer
    models: Catalogue
    http: HttpClient
    services: Services
    watchdog: Watchdog
    reloader: Reloader
    timed: Timekeeping
    labels: TopicLabels
    spoken: SpokenReplies | None = None


async def run_gateway(options: GatewayOptions) -> None:
    """Run the gateway until SIGTERM or SIGINT. Raises ConfigError, UserError or StorageError when it cannot start."""
    clock = SystemClock()
    state = _state(options)
    state.create()
    loaded = load_or_last_good(options.config or state.config_file, state.env, judge=section_issues)
    async with AsyncExitStack() as stack:
        stop = StopSignal()
        stop.install()
        stack.callback(stop.uninstall)
        app, warnings = await open_application(stack, state, loaded, options, clock)
        ready = Ready(app.server.url, app.server.create_login_url(), warnings, app.server.tls_fingerprint)
        if options.on_ready is not None:
            options.on_ready(ready)
        await stop.wait()
        await drain(app.server, app.pipeline, app.host)
        log.info("stopped")


async def open_application(
    stack: AsyncExitStack, state: StateDir, loaded: LoadedConfig, options: GatewayOptions, clock: Clock
) -> tuple[Application, tuple[str, ...]]:
    """Build and start everything; leaving `stack` stops it again. Returns it with the start-up warnings."""
    config = loaded.config
    check_discovery(config.discovery)
    log_file = open_logs(config.logging, state.logs, lambda text: environment.expand(text, state.env))
    token = options.token or (read_or_create_token(state.identity, clock) if needs_own_token(config.gateway) else None)
    settings = read_settings(config.gateway, port=options.port, bind=options.bind, token=token, env=state.env)
    sections = channel_sections(loaded)
    lost = describe_lost_file(state.root) if loaded.config.storage.url is None else None
    lock = StateLock(state.root)
    lock.acquire(clock.now_ms(), settings.port)
    stack.callback(lock.release)
    database = await _open_database(stack, state, loaded, clock)
    http = HttpClient(timeouts_from_config(config))
    stack.push_async_callback(http.close)
    holder = ConfigHolder(loaded)
    toolkit = await open_toolkit(holder, database, MediaStore(state.media, clock), clock)
    app = compose(state, holder, sections, settings, database, http, toolkit, clock, log_file, options.set_up)
    await _start(stack, app, config)
    lock.note_port(app.server.port)
    warnings = (*loaded.warnings, *_unused_warning(loaded), *toolkit.warnings, *((lost,) if lost else ()))
    for warning in warnings:
        log.warning("%s", warning)
    log.info("started: version %s, pid %d, %s, state %s", __version__, os.getpid(), app.server.url, state.root)
    return app, warnings


def compose(  # noqa: PLR0917 - the one place that sees every room
    state: StateDir,
    holder: ConfigHolder,
    sections: dict[str, ChannelPolicyConfig],
    settings: GatewaySettings,
    database: Database,
    http: HttpClient,
    toolkit: Toolkit,
    clock: Clock,
    log_file: Path,
    set_up: Callable[[StateDir, str | None], Flow] | None = None,
) -> Application:
    """Build every room and connect them; starts nothing."""
    config = holder.current.config
    meter = Meter()
    models = Catalogue(settings_from_config(config, holder.current.env), http, clock, meter)
    skills, prompts = AgentSkills(lambda: holder.current), PromptLedger(database, clock)
    turns = turns_of(lambda: holder.current, state, models, toolkit, clock, skills, prompts)
    supervisor, accounts = Supervisor(clock), toolkit.files.accounts
    host = ChannelHost(database, clock, supervisor, accounts, meter, toolkit.files)
    host.open(config, sections)
    labels = TopicLabels(database, clock, host.find, turns.model_of)
    parts = _parts(database, clock, accounts, holder, turns, toolkit, host, meter)
    pipeline = Pipeline(replace(parts, on_accepted=partial(_tell_accepted, host, labels)))
    watchdog = Watchdog(clock, lambda: pipeline.load().sessions > 0)
    pipeline.listen(lambda _event: watchdog.wake())
    reloader = Reloader(holder, lambda: _read_again(holder, state), partial(_apply, holder, state, host, models, http))
    timed = keep_time(state, database, clock, pipeline, HostPost(database, clock, accounts, host), holder, turns.zone)
    services = Services(
        clock=clock,
        database=database,
        state_dir=state.root,
        config=holder,
        runs=pipeline,
        sessions=Sessions(database, clock),
        models=models,
        agents=ConfiguredAgents(holder),
        channels=host,
        messages=Messages(database, clock, pipeline.take_up),
        pairing=PairingRequests(Pairing(database, clock, host.wake)),
        sender=DirectSend(database, clock, accounts, host.wake, host.news),
        tools=toolkit,
        files=toolkit.files,
        log_file=log_file,
        instruments=Instruments(meter, watchdog, pipeline.load, supervisor.tasks),
        reloader=reloader,
        skills=skills,
        prompts=prompts,
        hearts=timed.hearts,
        wizards=Wizards(clock, partial(set_up, state) if set_up is not None else None, reloader.reload),
        speaker=Speaker(lambda: holder.current, database, clock, http, state.root / "speech"),
        jobs=timed.jobs,
    )
    toolkit.attach(services)
    server = GatewayServer(services, settings)
    spoken = None if services.speaker is None else SpokenReplies(services.speaker, toolkit.files, services.sender)
    return Application(
        pipeline, host, supervisor, server, models, http, services, watchdog, reloader, timed, labels, spoken
    )


def _tell_accepted(host: ChannelHost, labels: TopicLabels, message: InboundMessage) -> None:
    host.acknowledge(message)
    labels.notice(message)


def _parts(
    database: Database,
    clock: Clock,
    accounts: Accounts,
    holder: ConfigHolder,
    turns: AgentTurns,
    toolkit: Toolkit,
    host: ChannelHost,
    meter: Meter,
) -> Parts:
    return Parts(
        database=database,
        clock=clock,
        accounts=accounts,
        config=lambda: holder.current.config,
        factory=turns,
        toolbox=toolkit.runner,
        stamp=turns.stamp,
        on_parts=host.wake,
        zone=turns.zone,
        on_working=host.show_working,
        on_preview=host.show_preview,
        meter=meter,
        collector=IncomingFiles(host.fetch, turns.workspace),
    )


def _read_again(holder: ConfigHolder, state: StateDir) -> LoadedConfig:
    """Load the file once more and check everything about it. Raises ConfigError."""
    loaded = load(holder.current.path, state.env, section_issues)
    settings_from_config(loaded.config, loaded.env)
    return loaded


async def _apply(
    holder: ConfigHolder,
    state: StateDir,
    host: ChannelHost,
    models: Catalogue,
    http: HttpClient,
    loaded: LoadedConfig,
) -> tuple[str, ...]:
    """Put a checked configuration into force and return the channel accounts that were changed."""
    changed = await host.apply(loaded.config, channel_sections(loaded))
    before = holder.current.config
    holder.replace(loaded)
    models.configure(settings_from_config(loaded.config, loaded.env))
    http.configure(timeouts_from_config(loaded.config))
    if loaded.config.logging != before.logging:
        open_logs(loaded.config.logging, state.logs, lambda text: environment.expand(text, state.env))
    if loaded.exists:
        _keep_last_good(loaded)
    return changed


def _keep_last_good(loaded: LoadedConfig) -> None:
    try:
        keep_last_good(loaded)
    except ConfigError as error:
        log.warning("the last good copy of the configuration is not up to date: %s", error.message)


def _listen_for_reload(stack: AsyncExitStack, reloader: Reloader) -> None:
    """Reload on SIGHUP."""
    loop = asyncio.get_running_loop()
    if hasattr(signal, "SIGHUP"):
        loop.add_signal_handler(signal.SIGHUP, reloader.ask)
        stack.callback(loop.remove_signal_handler, signal.SIGHUP)


async def _start(stack: AsyncExitStack, app: Application, config: Config) -> None:
    app.server.core.gate.is_open = False
    await app.server.start()
    stack.push_async_callback(app.server.stop)
    stack.push_async_callback(app.host.close)
    if app.services.wizards is not None:
        stack.push_async_callback(app.services.wizards.stop)
    stack.push_async_callback(app.pipeline.stop)
    stack.push_async_callback(app.supervisor.stop)
    await app.pipeline.recover()
    app.server.core.gate.is_open = True
    app.host.start(app.pipeline)
    app.watchdog.start()
    stack.callback(app.watchdog.stop)
    for name, work in exposures(app.server, config.discovery):
        app.supervisor.start(name, work)
    app.supervisor.start("config reload", app.reloader.run)
    _listen_for_reload(stack, app.reloader)
    app.supervisor.start("cron", app.timed.scheduler.run)
    if app.spoken is not None:
        app.pipeline.listen(app.spoken.listen)
        app.supervisor.start("spoken replies", app.spoken.run)
    app.supervisor.start("topic names", app.labels.run)
    app.supervisor.start("heartbeat", app.timed.hearts.run)
    app.supervisor.start("upkeep", partial(keep_up_later, app.server.core))
    app.supervisor.start("model discovery", lambda: discover_local(app.http, app.models.add_found))


async def keep_up_later(core: GatewayCore) -> None:
    """Begin with what was kept long enough when the start is long over: it has other work."""
    await core.services.clock.sleep(UPKEEP_AFTER)
    from homarus.gateway.upkeep import keep_up  # noqa: PLC0415 - wanted a few times a day

    await keep_up(core)


async def _open_database(stack: AsyncExitStack, state: StateDir, loaded: LoadedConfig, clock: Clock) -> Database:
    storage = loaded.config.storage
    url = storage.url.reveal() if storage.url is not None else None
    database = await open_database(url, state.root, clock, skip_backup=storage.skip_backup)
    stack.push_async_callback(database.close)
    lock = await lock_database(database)
    if lock is not None:
        stack.callback(lock.release)
    return database


def _state(options: GatewayOptions) -> StateDir:
    env = dict(environment.process_environment())
    if options.home is not None:
        env[environment.HOME] = str(options.home)
    return StateDir.resolve(env)


def _unused_warning(loaded: LoadedConfig) -> tuple[str, ...]:
    manifests = registry.manifests()
    of_channels = unused_channel_keys(loaded.config.channels.sections, manifests)
    keys = [*unused_keys(loaded.config, tuple(manifests)), *of_channels]
    if not keys:
        return ()
    shown = ", ".join(keys[:12]) + (f" and {len(keys) - 12} more" if len(keys) > 12 else "")
    return (f"these configuration keys have no effect yet: {shown}",)
