"""One live connection after the welcome: what each line of the server makes us do."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from homarus.channels.irc.connection import Connection
from homarus.channels.irc.ctcp import Ctcp
from homarus.channels.irc.deliveries import Deliveries
from homarus.channels.irc.inbound import Reader
from homarus.channels.irc.intake import Intake
from homarus.channels.irc.nickserv import Login, NickServ
from homarus.channels.irc.outlet import Outlet
from homarus.channels.irc.refusals import JOIN_REFUSED, closing, refusal
from homarus.channels.irc.registration import WANTED
from homarus.channels.irc.rooms import Rooms
from homarus.channels.irc.settings import Settings
from homarus.channels.irc.view import View
from homarus.channels.irc.wire import Line, serialise
from homarus.clock import Clock
from homarus.errors import AuthFailed, Transient

log = logging.getLogger(__name__)


class Session:
    """Serves one registered connection. The read loop never waits for the pace, only for a full intake."""

    def __init__(
        self,
        connection: Connection,
        outlet: Outlet,
        view: View,
        settings: Settings,
        deliveries: Deliveries,
        intake: Intake,
        clock: Clock,
    ) -> None:
        self.view = view
        self.outlet = outlet
        self.rooms = Rooms(settings, view, outlet)
        self.sending = asyncio.Lock()
        self._connection = connection
        self._settings = settings
        self._deliveries = deliveries
        self._intake = intake
        self._clock = clock
        self._reader = Reader(settings, clock, deliveries.is_mine)
        self._nickserv = NickServ(settings, view)
        self._ctcp = Ctcp(clock)
        self._heard_at = clock.monotonic()
        self._may_join = asyncio.Event()
        self._kicked = asyncio.Event()
        self._pings: dict[str, asyncio.Event] = {}
        self._handlers: dict[str, Callable[[Line], None]] = self._table()

    async def serve(self) -> None:
        """Receive until the connection ends. Raises Transient or AuthFailed, inside an exception group."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._receive())
            tasks.create_task(self._intake.work())
            tasks.create_task(self.outlet.work())
            tasks.create_task(self._keep_alive())
            tasks.create_task(self._arrive())
            tasks.create_task(self._come_back())

    async def ping(self, seconds: float) -> float:
        """Make a round trip and return how many seconds it took. Raises Transient when there is no answer."""
        token = f"probe-{self._clock.token(9)}"
        answered = self._pings[token] = asyncio.Event()
        begun = self._clock.monotonic()
        try:
            await self.outlet.now(serialise("PING", token))
            async with asyncio.timeout(seconds):
                await answered.wait()
        except TimeoutError as error:
            raise Transient(f"the IRC server did not answer a PING in {seconds:g} s") from error
        finally:
            del self._pings[token]
        return self._clock.monotonic() - begun

    def end(self) -> None:
        """Give the connection up; `serve` raises Transient."""
        self._connection.abort()

    async def _receive(self) -> None:
        while True:
            line = await self._connection.read()
            self._heard_at = self._clock.monotonic()
            if line.command == "PING":
                await self.outlet.now(serialise("PONG", line.param(-1)))
            elif line.command == "PRIVMSG":
                await self._on_message(line)
            elif handler := self._handlers.get(line.command):
                handler(line)
            elif line.command in JOIN_REFUSED:
                self.rooms.on_refused(line)
            if (error := refusal(line)) is not None:
                self._deliveries.refuse(line.tags.get("label", ""), line.params[1:-1], error, self.view.isupport.fold)

    async def _on_message(self, line: Line) -> None:
        if self.view.is_me(line.nick):
            self.view.learn_prefix(line.source)
            self._deliveries.echo(
                line.param(0), line.param(1), line.tags.get("label", ""), line.tags.get("msgid", ""),
                self.view.isupport.fold,
            )  # fmt: skip
            return
        if (answer := self._ctcp.answer(line)) is not None:
            self.outlet.later(answer)
        if (message := self._reader.message(line, self.view)) is not None:
            await self._intake.put(message)

    async def _keep_alive(self) -> None:
        """Probe a silent server; give the connection up when it stays silent."""
        idle, grace = self._settings.timings.idle, self._settings.timings.grace
        while True:
            await self._clock.sleep(max(1.0, idle - self._silence()))
            self._want_nick()
            if self._silence() < idle:
                continue
            asked = self._clock.monotonic()
            await self.outlet.now(serialise("PING", f"alive-{self._clock.token(6)}"))
            await self._clock.sleep(grace)
            if self._heard_at < asked:
                self._connection.abort()
                raise Transient(f"the IRC server has been silent for {self._silence():.0f} s")

    async def _arrive(self) -> None:
        """Mark ourselves as a bot, log in, then join: channels may admit registered users only."""
        if letter := self.view.isupport.bot_mode:
            self.outlet.later(serialise("MODE", self.view.nick, f"+{letter}"))
        self.outlet.later(serialise("USERHOST", self.view.nick))
        for data in [*self._nickserv.begin(), *self._nickserv.reclaim()]:
            self.outlet.later(data)
        self._watch_nick()
        if self._nickserv.login is Login.WAITING:
            try:
                async with asyncio.timeout(self._settings.timings.login):
                    await self._may_join.wait()
            except TimeoutError:
                log.warning("irc %s: no answer from %s; joining without login", self._settings.account_id,
                            self._settings.nickserv)  # fmt: skip
        if self._nickserv.login is Login.REFUSED:
            raise AuthFailed(
                f"{self._settings.nickserv} refused the login as {self.view.nick!r}",
                fix=f"correct {self._settings.path}.nickserv.password, or set nickserv.registerEmail and register",
            )
        self.rooms.join_all()

    async def _come_back(self) -> None:
        while True:
            await self._kicked.wait()
            self._kicked.clear()
            await self._clock.sleep(self._settings.timings.rejoin)
            self.rooms.join_all()

    def _silence(self) -> float:
        return self._clock.monotonic() - self._heard_at

    def _watch_nick(self) -> None:
        if self.view.isupport.has_monitor and not self.view.is_me(self._settings.nick):
            self.outlet.later(serialise("MONITOR", "+", self._settings.nick))

    def _want_nick(self) -> None:
        if not self.view.is_me(self._settings.nick):
            self.outlet.later(serialise("NICK", self._settings.nick))

    def _table(self) -> dict[str, Callable[[Line], None]]:
        return {
            "PONG": self._on_pong,
            "NOTICE": self._on_login_line,
            "900": self._on_login_line,
            "401": self._on_login_line,
            "ACCOUNT": self._on_account,
            "JOIN": self._on_join,
            "PART": self._on_part,
            "KICK": self._on_kick,
            "QUIT": self._on_quit,
            "NICK": self._on_nick,
            "CHGHOST": self._on_new_host,
            "396": self._on_hidden_host,
            "302": self._on_userhost,
            "005": lambda line: self.view.isupport.update(line.params[1:-1]),
            "CAP": self._on_cap,
            "BATCH": self.view.note_batch,
            "INVITE": lambda line: self.rooms.on_invite(line.param(1)),
            "731": lambda _line: self._want_nick(),
            "ERROR": self._on_error,
        }

    def _on_pong(self, line: Line) -> None:
        token = line.param(-1)
        if not self._deliveries.pong(token) and token in self._pings:
            self._pings[token].set()

    def _on_login_line(self, line: Line) -> None:
        for data in self._nickserv.feed(line):
            self.outlet.later(data)
        if self._nickserv.login is not Login.WAITING:
            self._may_join.set()

    def _on_account(self, line: Line) -> None:
        self.view.roster.log_in(self.view.isupport.fold(line.nick), line.param(0))
        if self.view.is_me(line.nick):
            self._on_login_line(line)

    def _on_join(self, line: Line) -> None:
        room = line.param(0)
        if self.view.is_me(line.nick):
            self.view.learn_prefix(line.source)
            self.rooms.on_join(room)
        if "extended-join" in self.view.caps:
            fold = self.view.isupport.fold
            self.view.roster.join(fold(line.nick), fold(room), line.param(1))

    def _on_part(self, line: Line) -> None:
        if self.view.is_me(line.nick):
            self.rooms.on_leave(line.param(0))
        self.view.roster.leave(self.view.isupport.fold(line.nick), self.view.isupport.fold(line.param(0)))

    def _on_kick(self, line: Line) -> None:
        room, nick = line.param(0), line.param(1)
        if not self.view.is_me(nick):
            self.view.roster.leave(self.view.isupport.fold(nick), self.view.isupport.fold(room))
        elif self.rooms.on_kick(room, line.nick, line.param(2)):
            self._kicked.set()

    def _on_quit(self, line: Line) -> None:
        self.view.roster.quit(self.view.isupport.fold(line.nick))
        if self.view.isupport.fold(line.nick) == self.view.isupport.fold(self._settings.nick):
            self._want_nick()

    def _on_nick(self, line: Line) -> None:
        fold = self.view.isupport.fold
        self.view.roster.rename(fold(line.nick), fold(line.param(0)))
        if self.view.is_me(line.nick):
            self.view.nick = line.param(0)
        elif fold(line.nick) == fold(self._settings.nick):
            self._want_nick()

    def _on_new_host(self, line: Line) -> None:
        if self.view.is_me(line.nick):
            self.view.user, self.view.host = line.param(0), line.param(1)

    def _on_hidden_host(self, line: Line) -> None:
        self.view.host = line.param(1).rpartition("@")[2]

    def _on_userhost(self, line: Line) -> None:
        for reply in line.param(-1).split():
            nick, _, address = reply.partition("=")
            self.view.learn_prefix(f"{nick.rstrip('*')}!{address[1:]}")

    def _on_cap(self, line: Line) -> None:
        verb, names = line.param(1).upper(), [item.partition("=")[0] for item in line.param(-1).split()]
        if verb == "NEW":
            for name in names:
                if name in WANTED:
                    self.outlet.later(serialise("CAP", "REQ", name))
        elif verb == "ACK":
            self.view.caps.update(names)
        elif verb == "DEL":
            self.view.caps.difference_update(names)

    def _on_error(self, line: Line) -> None:
        raise closing(line)
