"""The IRC channel: one account on one network."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from homarus.channels.contract import (
    Ambiguous,
    ConnectionState,
    Ingress,
    OutboundPart,
    ProbeResult,
    Receipt,
    Verdict,
)
from homarus.channels.irc.config import IrcConfig
from homarus.channels.irc.connection import Connection, connect
from homarus.channels.irc.deliveries import Deliveries, Delivery
from homarus.channels.irc.intake import Intake
from homarus.channels.irc.outbound import lines_of, message, target_of
from homarus.channels.irc.outlet import Outlet
from homarus.channels.irc.registration import Registration, StsUpgrade
from homarus.channels.irc.session import Session
from homarus.channels.irc.settings import Settings, settings_of
from homarus.channels.irc.typing import TypingSigns
from homarus.channels.irc.view import View
from homarus.channels.irc.wire import serialise
from homarus.channels.policy_config import ChannelPolicyConfig, resolve_account
from homarus.channels.sdk.rate import TokenBucket
from homarus.channels.sdk.standing import Standing
from homarus.clock import Clock
from homarus.errors import AuthFailed, ConfigError, HomarusError, Transient, first_error
from homarus.ids import Address

log = logging.getLogger(__name__)

config_model = IrcConfig


def create(config: ChannelPolicyConfig, account_id: str, clock: Clock) -> IrcChannel:
    """Return the channel of one account. Raises ConfigError for settings that cannot work."""
    if not isinstance(config, IrcConfig):
        raise TypeError(f"IrcConfig expected, not {type(config).__name__}")
    return IrcChannel(settings_of(resolve_account(config, account_id), account_id), clock)


class IrcChannel:
    """One connection at a time; `run` makes it and the outbox sends on it."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._standing = Standing()
        self._session: Session | None = None
        self._deliveries = Deliveries()
        self._typing = TypingSigns(clock)
        # Kept over reconnects: servers count lines by address, not by connection.
        self._bucket = TokenBucket(clock, burst=settings.flood_burst, interval=settings.flood_interval)

    @property
    def state(self) -> ConnectionState:
        """Where the connection stands now."""
        return self._standing.state

    async def until_connected(self) -> None:
        """Return once the connection stands."""
        await self._standing.until_connected()

    async def run(self, ingress: Ingress) -> None:
        """Connect once and receive until the connection ends. Raises Transient, AuthFailed, Permanent, ConfigError."""
        self._standing.change(ConnectionState.CONNECTING)
        connection: Connection | None = None
        intake = Intake(ingress, self._clock)
        try:
            connection, view = await self._register()
            await self._serve(connection, view, intake)
        finally:
            self._standing.change(ConnectionState.DISCONNECTED)
            self._session = None
            self._deliveries.lose_all()
            if connection is not None:
                await connection.close(serialise("QUIT", "closing"))
            await intake.drain(self._settings.timings.drain)

    async def send(self, part: OutboundPart) -> Receipt:
        """Send one part and wait until the server has worked through it.

        The proof is the PONG to a PING sent after the lines; with echo-message each line also comes back with its id.
        Raises Transient while there is no connection or before anything was written, Permanent when the server
        refuses the target, Ambiguous when the connection is lost or silent after something was written.
        """
        session = self._live()
        lines = lines_of(part, session.view)
        known = self._deliveries.record(part.id)
        if known is not None and known.is_taken and known.lines == lines:
            return Receipt(known.platform_id)
        delivery = self._deliveries.begin(part.id, target_of(part), lines)
        try:
            await self._transmit(session, delivery, part.reply_to or "")
        finally:
            self._deliveries.end(delivery)
        self._typing.stopped(str(part.address))
        return Receipt(delivery.record.platform_id)

    async def reconcile(self, part: OutboundPart) -> Verdict:
        """Tell from memory whether a part arrived; unknown after a restart, because IRC servers keep nothing."""
        record = self._deliveries.record(part.id)
        if record is None:
            return Verdict.UNKNOWN
        if record.is_taken or record.echoed == len(record.lines):
            return Verdict.SENT
        return Verdict.NOT_SENT if record.written == 0 else Verdict.UNKNOWN

    async def set_typing(self, address: Address, *, is_typing: bool) -> None:
        """Show the typing sign where the server relays it and the pace has room for it."""
        session = self._session
        if session is None or "message-tags" not in session.view.caps:
            return
        if not session.view.isupport.are_tags_allowed("typing"):
            return
        sign = self._typing.next(str(address), is_typing=is_typing)
        if sign is None:
            return
        target = (address.thread or "") + address.chat
        with contextlib.suppress(Transient, ValueError):
            await session.outlet.spare(serialise("TAGMSG", target, tags={"+typing": sign}))

    async def probe(self) -> ProbeResult:
        """Make one PING round trip."""
        try:
            session = self._live()
            seconds = await session.ping(self._settings.timings.connect)
        except HomarusError as error:
            return ProbeResult(is_ok=False, detail=error.message)
        view = session.view
        rooms = f", in {', '.join(sorted(session.rooms.joined))}" if session.rooms.joined else ""
        refused = "".join(f"; not in {room}: {why}" for room, why in sorted(session.rooms.refused.items()))
        detail = f"{view.nick} on {view.server or self._settings.host}{rooms}{refused}"
        return ProbeResult(is_ok=True, detail=detail, latency_ms=round(seconds * 1000))

    async def close(self) -> None:
        """Nothing is held after `run` has ended; called on a running channel, the connection ends."""
        if self._session is not None:
            self._session.end()

    def _live(self) -> Session:
        if self._session is None or self._session.outlet.is_lost:
            raise Transient(f"not connected to the IRC server {self._settings.host}")
        return self._session

    async def _register(self) -> tuple[Connection, View]:
        try:
            return await self._greet(await connect(self._settings))
        except StsUpgrade as upgrade:
            log.info("irc %s: the server asks for TLS on port %d", self._settings.account_id, upgrade.port)
            return await self._greet(await connect(self._settings, port=upgrade.port, is_tls=True))

    async def _greet(self, connection: Connection) -> tuple[Connection, View]:
        view = View(self._settings.nick)
        registration = Registration(self._settings, view, self._clock)
        try:
            async with asyncio.timeout(self._settings.timings.register):
                await self._talk(connection, registration)
        except TimeoutError as error:
            connection.abort()
            raise Transient(
                f"the IRC server did not finish the login in {self._settings.timings.register:g} s"
            ) from error
        except BaseException:
            connection.abort()
            raise
        return connection, view

    async def _talk(self, connection: Connection, registration: Registration) -> None:
        for data in registration.begin():
            await connection.write(data)
        while not registration.is_done:
            line = await connection.read()
            # SCRAM computes for milliseconds to seconds, as the server likes: not on the loop.
            is_slow = line.command == "AUTHENTICATE"
            answers = await asyncio.to_thread(registration.feed, line) if is_slow else registration.feed(line)
            for data in answers:
                await connection.write(data)

    async def _serve(self, connection: Connection, view: View, intake: Intake) -> None:
        outlet = Outlet(connection, self._bucket)
        self._session = Session(connection, outlet, view, self._settings, self._deliveries, intake, self._clock)
        self._standing.change(ConnectionState.CONNECTED)
        try:
            await self._session.serve()
        except ExceptionGroup as group:
            raise first_error(group, AuthFailed, ConfigError, Transient) from group

    async def _transmit(self, session: Session, delivery: Delivery, reply_to: str) -> None:
        try:
            async with session.sending:  # lines of one part stay together
                await self._write_lines(session, delivery, reply_to)
                await session.outlet.now(serialise("PING", delivery.token))
            async with asyncio.timeout(self._settings.timings.confirm):
                await delivery.settled.wait()
        except TimeoutError as error:
            session.end()  # a server that answers nothing is given up, so that the supervisor connects anew
            raise Ambiguous("the IRC server did not confirm the message") from error
        except Transient as error:
            raise self._interrupted(delivery) from error
        if delivery.error is not None:
            raise delivery.error
        if delivery.is_lost:
            raise self._interrupted(delivery)

    async def _write_lines(self, session: Session, delivery: Delivery, reply_to: str) -> None:
        record, caps = delivery.record, session.view.caps
        can_label = {"labeled-response", "echo-message"} <= caps
        can_reply = "message-tags" in caps and session.view.isupport.are_tags_allowed("reply", "draft/reply")
        for index in range(record.echoed, len(record.lines)):
            if delivery.error is not None:
                return
            label = self._deliveries.label(delivery) if can_label else ""
            answer = reply_to if can_reply and index == 0 else ""
            data = message(delivery.target, record.lines[index], label=label, reply_to=answer)
            await session.outlet.paced(data, before=lambda index=index: _mark(delivery, index))

    def _interrupted(self, delivery: Delivery) -> Exception:
        if delivery.record.written > delivery.record.echoed:
            return Ambiguous("the IRC connection was lost while the message was being sent")
        return Transient("the IRC connection was lost before the message was sent")


def _mark(delivery: Delivery, index: int) -> None:
    delivery.record.written = index + 1
