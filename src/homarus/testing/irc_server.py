"""An IRC server inside the test process, with IRCv3 on demand and every fault a real one shows.

It relays between its clients like a small real server, and `say` lets a person who is not connected speak. Nothing in
it waits or retries; `expect` waits for a line of a client.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Self

from msgspec import Struct, field

from homarus.testing.irc_behaviour import Behaviour
from homarus.testing.irc_login import Login, logins

NAME = "irc.test"
PATIENCE = 45.0
"""Seconds after which `expect` fails the test."""


class Client(Struct, eq=False):
    """One connection to the server."""

    writer: asyncio.StreamWriter
    nick: str = ""
    user: str = ""
    account: str = ""
    password: str = ""
    caps: set[str] = field(default_factory=set)
    is_negotiating: bool = False
    is_welcome: bool = False
    login: Login | None = None

    @property
    def mask(self) -> str:
        """Return nick!user@host."""
        return f"{self.nick}!~{self.user}@client.test"


class IrcServer:
    """The server. `received` holds every line of every client, in order."""

    def __init__(self, behaviour: Behaviour | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        self.behaviour = behaviour or Behaviour()
        self.received: list[str] = []
        self.clients: list[Client] = []
        self.connections = 0
        self._tls = tls
        self._rooms: dict[str, list[Client]] = {}
        self._seen = 0
        self._news = asyncio.Condition()
        self._ids = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Start on a free loopback port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drop everybody and stop."""
        self.drop()
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def port(self) -> int:
        """Return the port it listens on."""
        if self._server is None:
            raise RuntimeError("the server is not running")
        return int(self._server.sockets[0].getsockname()[1])

    def drop(self) -> None:
        """Cut every connection without a word."""
        for client in list(self.clients):
            client.writer.transport.abort()

    def send(self, line: str) -> None:
        """Send a raw line to every client."""
        for client in list(self.clients):
            self._write(client, line)

    def say(self, source: str, target: str, text: str, *, command: str = "PRIVMSG", **tags: str) -> None:
        """Let somebody who is not connected write to a client or a channel; `source` is nick!user@host."""
        for client in self._reached(target):
            self._deliver(client, f":{source} {command} {target} :{text}", tags)

    async def expect(self, start: str) -> str:
        """Return the next line, from where the last `expect` ended, that begins so (tags aside).

        Raises AssertionError after PATIENCE.
        """
        try:
            async with asyncio.timeout(PATIENCE), self._news:
                while (found := self._next(start)) is None:
                    await self._news.wait()
        except TimeoutError:
            late = self.received[self._seen :]
            raise AssertionError(f"no line begins with {start!r}; since the last one: {late}") from None
        return found

    def _next(self, start: str) -> str | None:
        for index in range(self._seen, len(self.received)):
            if body_of(self.received[index]).startswith(start):
                self._seen = index + 1
                return self.received[index]
        return None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        client = Client(writer)
        self.clients.append(client)
        self.connections += 1
        try:
            await self._converse(reader, client)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client or a fault ended the connection
        finally:
            self._forget(client)
            with contextlib.suppress(OSError):
                writer.close()

    async def _converse(self, reader: asyncio.StreamReader, client: Client) -> None:
        if self.behaviour.greeting is not None:
            self._write(client, self.behaviour.greeting)
            await client.writer.drain()
            return
        while raw := await reader.readline():
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            async with self._news:
                self.received.append(line)
                self._news.notify_all()
            if not self._suffer(client, line):
                return
            if not self.behaviour.is_stalled and self._obey(client, line) is False:
                return
            if not client.writer.is_closing():
                await client.writer.drain()

    def _suffer(self, client: Client, line: str) -> bool:
        """Act out the fault that this line triggers; return False when the connection is over."""
        body, behaviour = body_of(line), self.behaviour
        if behaviour.drop_on is not None and body.startswith(behaviour.drop_on):
            behaviour.drop_on = None
            client.writer.transport.abort()
            return False
        if behaviour.half_close_on is not None and body.startswith(behaviour.half_close_on):
            behaviour.half_close_on = None
            client.writer.write_eof()
        if behaviour.stall_on is not None and body.startswith(behaviour.stall_on):
            behaviour.stall_on, behaviour.is_stalled = None, True
        return True

    def _obey(self, client: Client, line: str) -> bool:
        head, _, rest = line.partition(" ") if line.startswith("@") else ("", "", line)
        items = [item.partition("=") for item in head[1:].split(";")] if head else []
        tags = {name: value for name, _, value in items}
        words, _, trailing = rest.partition(" :")
        command, *params = words.split(" ")
        if " :" in rest:
            params.append(trailing)
        handler: Callable[[Client, list[str], dict[str, str]], bool | None] | None
        handler = getattr(self, f"_do_{command.lower()}", None)
        if handler is None:
            self._numeric(client, "421", command, "Unknown command")
            return True
        return handler(client, params, tags) is not False

    def _do_cap(self, client: Client, params: list[str], _tags: dict[str, str]) -> None:
        verb = params[0].upper()
        if verb == "LS":
            client.is_negotiating = True
            offer = " ".join(f"{name}={value}" if value else name for name, value in self.behaviour.caps.items())
            self._write(client, f":{NAME} CAP * LS :{offer}")
        elif verb == "REQ":
            names = params[1].split()
            is_known = all(name in self.behaviour.caps and name not in self.behaviour.nak for name in names)
            client.caps.update(names if is_known else [])
            self._write(client, f":{NAME} CAP * {'ACK' if is_known else 'NAK'} :{params[1]}")
        elif verb == "END":
            client.is_negotiating = False
            self._welcome(client)

    def _do_authenticate(self, client: Client, params: list[str], _tags: dict[str, str]) -> None:
        if client.login is None:
            kind = logins(self.behaviour.caps.get("sasl", "")).get(params[0].upper())
            if kind is None:
                self._numeric(client, "904", "SASL authentication failed")
                return
            client.login = kind(self.behaviour.accounts)
            self._write(client, "AUTHENTICATE +")
            return
        reply = client.login.feed(params[0])
        if client.login.account is not None:
            client.account = client.login.account
            self._numeric(client, "900", client.mask, client.account, f"You are now logged in as {client.account}")
            self._numeric(client, "903", "SASL authentication successful")
        elif client.login.is_refused:
            client.login = None
            self._numeric(client, "904", "SASL authentication failed")
        elif reply is not None:
            self._write(client, f"AUTHENTICATE {reply}")

    def _do_pass(self, client: Client, params: list[str], _tags: dict[str, str]) -> None:
        client.password = params[0]

    def _do_nick(self, client: Client, params: list[str], _tags: dict[str, str]) -> None:
        wanted = params[0]
        in_use = {other.nick.lower() for other in self.clients if other is not client} | self.behaviour.taken
        if wanted.lower() in in_use:
            self._numeric(client, "433", wanted, "Nickname is already in use")
            return
        if client.is_welcome:
            self.send(f":{client.mask} NICK :{wanted}")
        client.nick = wanted
        self._welcome(client)

    def _do_user(self, client: Client, params: list[str], _tags: dict[str, str]) -> None:
        client.user = params[0]
        self._welcome(client)

    def _do_ping(self, client: Client, params: list[str], _tags: dict[str, str]) -> None:
        self._write(client, f":{NAME} PONG {NAME} :{params[0]}")

    def _do_pong(self, _client: Client, _params: list[str], _tags: dict[str, str]) -> None:
        pass

    def _do_quit(self, client: Client, _params: list[str], _tags: dict[str, str]) -> bool:
        self._write(client, f"ERROR :Closing Link: {client.nick} (Quit)")
        return False

    def _do_join(self, client: Client, params: list[str], _tags: dict[str, str]) -> None:
        for room in params[0].split(","):
            if room in self.behaviour.refuse:
                self._numeric(client, self.behaviour.refuse[room], room, "Cannot join channel")
                continue
            members = self._rooms.setdefault(room.lower(), [])
            if client not in members:
                members.append(client)
            for member in members:
                account = f" {client.account or '*'} :real name" if "extended-join" in member.caps else ""
                self._write(member, f":{client.mask} JOIN {room}{account}")
            self._numeric(client, "353", "=", room, " ".join(member.nick for member in members))
            self._numeric(client, "366", room, "End of NAMES list")

    def _do_part(self, client: Client, params: list[str], _tags: dict[str, str]) -> None:
        for member in self._rooms.get(params[0].lower(), []):
            self._write(member, f":{client.mask} PART {params[0]}")
        self._leave(client, params[0])

    def kick(self, nick: str, room: str, by: str = "op!op@staff.test") -> None:
        """Throw a client out of a channel."""
        for member in list(self._rooms.get(room.lower(), [])):
            self._write(member, f":{by} KICK {room} {nick} :out")
            if member.nick == nick:
                self._leave(member, room)

    def _do_userhost(self, client: Client, params: list[str], _tags: dict[str, str]) -> None:
        known = [other for other in self.clients if other.nick == params[0]]
        self._numeric(client, "302", " ".join(f"{other.nick}=+~{other.user}@client.test" for other in known))

    def _do_tagmsg(self, client: Client, params: list[str], tags: dict[str, str]) -> None:
        for other in self._reached(params[0]):
            if other is not client and "message-tags" in other.caps:
                self._deliver(other, f":{client.mask} TAGMSG {params[0]}", tags, sender=client)

    def _do_notice(self, client: Client, params: list[str], tags: dict[str, str]) -> None:
        self._relay(client, "NOTICE", params, tags)

    def _do_privmsg(self, client: Client, params: list[str], tags: dict[str, str]) -> None:
        if params[0].lower() == "nickserv" and self.behaviour.has_nickserv:
            self._serve_nick(client, params[1])
        else:
            self._relay(client, "PRIVMSG", params, tags)

    def _relay(self, client: Client, command: str, params: list[str], tags: dict[str, str]) -> None:
        target, text = params[0], params[1]
        label = {"label": tags["label"]} if "label" in tags and "labeled-response" in client.caps else {}
        reached = self._reached(target)
        if target in self.behaviour.refuse or (not reached and not target.startswith("#")):
            numeric = self.behaviour.refuse.get(target, "401")
            self._numeric(client, numeric, target, "No such nick or cannot send", tags=label)
            return
        line = f":{client.mask} {command} {target} :{text}"
        carried = {name: value for name, value in tags.items() if name.startswith("+")} | self._fresh(client)
        for other in reached:
            if other is not client:
                self._deliver(other, line, carried, sender=client)
        if "echo-message" in client.caps:
            self._deliver(client, line, carried | label, sender=client)
        elif label:
            self._write(client, f"@label={label['label']} :{NAME} ACK")

    def _serve_nick(self, client: Client, text: str) -> None:
        verb, _, argument = text.partition(" ")
        account = client.nick.rstrip("_")
        if verb == "REGISTER":
            self.behaviour.accounts[account] = argument.split(" ")[0]
        if verb in {"IDENTIFY", "REGISTER"}:
            known = self.behaviour.accounts.get(account)
            if known is None:
                answer = f"{account} is not a registered nickname."
            elif known == argument.split(" ")[0]:
                client.account = account
                answer = f"You are now identified for {account}."
            else:
                answer = f"Invalid password for {account}."
            self._write(client, f":NickServ!NickServ@services.test NOTICE {client.nick} :{answer}")
        elif verb == "GHOST":
            self.behaviour.taken.discard(argument.split(" ")[0].lower())

    def _welcome(self, client: Client) -> None:
        if client.is_welcome or client.is_negotiating or not client.nick or not client.user:
            return
        if self.behaviour.password is not None and client.password != self.behaviour.password:
            self._numeric(client, "464", "Password incorrect")
            self._write(client, f"ERROR :Closing Link: {client.nick} (Bad Password)")
            client.writer.close()
            return
        client.is_welcome = True
        tags = {"time": self.behaviour.time} if "server-time" in client.caps else {}
        self._numeric(client, "001", f"Welcome to the test network {client.mask}", tags=tags)
        self._numeric(client, "005", *self.behaviour.isupport, "are supported by this server")
        self._numeric(client, "422", "MOTD File is missing")

    def _deliver(self, client: Client, line: str, tags: dict[str, str], *, sender: Client | None = None) -> None:
        if sender is not None and sender.account and "account-tag" in client.caps:
            tags = {**tags, "account": sender.account}
        allowed = {name: value for name, value in tags.items() if self._may_carry(client, name)}
        for _ in range(self.behaviour.repeat):
            self._write(client, _tagged(allowed, line))

    def _may_carry(self, client: Client, name: str) -> bool:
        needs = {"time": "server-time", "account": "account-tag", "label": "labeled-response", "batch": "batch"}
        return needs.get(name, "message-tags") in client.caps

    def _fresh(self, client: Client) -> dict[str, str]:
        self._ids += 1
        return {"msgid": f"m{self._ids}", "time": self.behaviour.time} if client else {}

    def _numeric(self, client: Client, numeric: str, *params: str, tags: dict[str, str] | None = None) -> None:
        words = [f":{NAME}", numeric, client.nick or "*", *params[:-1], f":{params[-1]}"]
        self._write(client, _tagged(tags or {}, " ".join(words)))

    def _write(self, client: Client, line: str) -> None:
        if not client.writer.is_closing() and not self.behaviour.is_stalled:
            with contextlib.suppress(OSError, RuntimeError):  # after a half-close nothing more may be written
                client.writer.write(f"{line}\r\n".encode())

    def _reached(self, target: str) -> list[Client]:
        if target.startswith("#"):
            return list(self._rooms.get(target.lower(), []))
        return [client for client in self.clients if client.nick.lower() == target.lower() and client.is_welcome]

    def _leave(self, client: Client, room: str) -> None:
        if client in self._rooms.get(room.lower(), []):
            self._rooms[room.lower()].remove(client)

    def _forget(self, client: Client) -> None:
        if client in self.clients:
            self.clients.remove(client)
        for room, members in self._rooms.items():
            if client in members:
                self._leave(client, room)
                for other in members:
                    self._write(other, f":{client.mask} QUIT :gone")


def body_of(line: str) -> str:
    """Return a line without its tags."""
    return line.partition(" ")[2] if line.startswith("@") else line


def _tagged(tags: dict[str, str], line: str) -> str:
    if not tags:
        return line
    return f"@{';'.join(f'{name}={value}' if value else name for name, value in tags.items())} {line}"
