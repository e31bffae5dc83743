"""From the first byte to the welcome: capabilities, password, SASL and nick, as a state machine without sockets.

`begin` and `feed` return the lines to send. `feed` may compute for a while on AUTHENTICATE lines (SCRAM).
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from homarus.channels.irc.config import SaslMechanism
from homarus.channels.irc.refusals import BANNED, NICK_TAKEN, closing
from homarus.channels.irc.sasl import Challenges, Mechanism, mechanisms, pieces
from homarus.channels.irc.servertime import server_time
from homarus.channels.irc.settings import Settings
from homarus.channels.irc.view import View
from homarus.channels.irc.wire import Line, parse_tags, serialise
from homarus.clock import Clock
from homarus.errors import AuthFailed, Permanent, Transient

log = logging.getLogger(__name__)

WANTED = (
    "message-tags", "server-time", "account-tag", "account-notify", "extended-join", "chghost", "batch",
    "echo-message", "labeled-response", "multi-prefix", "cap-notify", "standard-replies",
)  # fmt: skip
"""Capabilities worth having; each is used or keeps the server from sending something worse."""

_MOST_NICK_TRIES = 6
_REQUEST_BYTES = 400
_MOST_CAPS = 500


class StsUpgrade(Exception):
    """The server wants TLS on another port, at once."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.port = port


class Registration:
    """One registration on one connection. Raises AuthFailed, Permanent, Transient and StsUpgrade from `feed`."""

    def __init__(self, settings: Settings, view: View, clock: Clock) -> None:
        self.is_done = False
        self._settings = settings
        self._view = view
        self._clock = clock
        self._offered: dict[str, str] = {}
        self._requests = 0
        self._tries: list[Mechanism] = []
        self._challenges = Challenges()
        self._nick_tries = 0
        self._is_logged_in = False
        self._handlers: dict[str, Callable[[Line], list[bytes]]] = {
            "PING": lambda line: [serialise("PONG", line.param(-1))],
            "CAP": self._on_cap,
            "AUTHENTICATE": self._on_authenticate,
            "ERROR": self._on_error,
            "900": self._on_account,
            "903": self._on_logged_in,
            "907": self._on_logged_in,
            "001": self._on_welcome,
            "005": self._on_isupport,
            "376": self._on_end,
            "422": self._on_end,
            "432": self._on_bad_nick,
            "464": self._on_bad_password,
            "465": self._on_banned,
            **dict.fromkeys(("902", "904", "905", "906"), self._on_login_failed),
            **dict.fromkeys(NICK_TAKEN, self._on_nick_taken),
        }

    def begin(self) -> list[bytes]:
        """Return the lines that open a connection."""
        lines = [serialise("CAP", "LS", "302")]
        if self._settings.password:
            lines.append(serialise("PASS", self._settings.password))
        lines.append(serialise("NICK", self._view.nick))
        lines.append(serialise("USER", self._settings.username, "0", "*", self._settings.realname))
        return lines

    def feed(self, line: Line) -> list[bytes]:
        """Take one line of the server and return the answers."""
        handler = self._handlers.get(line.command)
        return handler(line) if handler else []

    def _on_cap(self, line: Line) -> list[bytes]:
        verb = line.param(1).upper()
        if verb == "LS":
            return self._on_offer(line)
        if verb in {"ACK", "NAK"}:
            return self._on_verdict(verb == "ACK", line.param(-1).split())
        return []

    def _on_offer(self, line: Line) -> list[bytes]:
        for item in line.param(-1).split()[:_MOST_CAPS]:
            name, _, value = item.partition("=")
            self._offered[name] = value
        if line.param(2) == "*" and len(line.params) > 3:
            return []
        self._heed_sts()
        offered = self._offered.get("sasl")
        if offered is not None and self._settings.sasl_mechanism is not SaslMechanism.OFF:
            names = [name for name in offered.split(",") if name]
            self._tries = mechanisms(self._settings, names, self._clock.token(18))
        wanted = [name for name in WANTED if name in self._offered] + (["sasl"] if self._tries else [])
        return self._request(wanted) if wanted else self._finish_caps()

    def _heed_sts(self) -> None:
        policy = parse_tags(self._offered.get("sts", "").replace(",", ";"))
        port = policy.get("port", "")
        if not self._settings.tls and port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536:
            raise StsUpgrade(int(port))

    def _request(self, names: list[str]) -> list[bytes]:
        lines: list[list[str]] = [[]]
        for name in names:
            if lines[-1] and len(" ".join([*lines[-1], name])) > _REQUEST_BYTES:
                lines.append([])
            lines[-1].append(name)
        self._requests += len(lines)
        return [serialise("CAP", "REQ", " ".join(group)) for group in lines]

    def _on_verdict(self, is_granted: bool, names: list[str]) -> list[bytes]:  # noqa: FBT001 - one private caller
        self._requests -= 1
        again: list[bytes] = []
        if is_granted:
            self._view.caps.update(name for name in names if not name.startswith("-"))
        elif len(names) > 1:  # a request is refused as a whole: ask for each alone
            again = [line for name in names for line in self._request([name])]
        if self._requests > 0:
            return again
        if self._tries and "sasl" in self._view.caps:
            return [serialise("AUTHENTICATE", self._tries[0].name)]
        return self._finish_caps()

    def _on_authenticate(self, line: Line) -> list[bytes]:
        challenge = self._challenges.feed(line.param(0))
        if challenge is None or not self._tries:
            return []
        return [serialise("AUTHENTICATE", piece) for piece in pieces(self._tries[0].respond(challenge))]

    def _on_account(self, line: Line) -> list[bytes]:
        self._view.account = line.param(2)
        return []

    def _on_logged_in(self, line: Line) -> list[bytes]:  # noqa: ARG002 - the numeric says it all
        if self._tries and getattr(self._tries[0], "is_verified", True) is False:
            raise AuthFailed("the server accepted the login without proving that it knows the password")
        self._is_logged_in = True
        self._view.account = self._view.account or self._settings.sasl_account
        return [serialise("CAP", "END")]

    def _on_login_failed(self, line: Line) -> list[bytes]:
        failed = self._tries.pop(0) if self._tries else None
        if self._tries:
            return [serialise("AUTHENTICATE", self._tries[0].name)]
        name = failed.name if failed else "SASL"
        if self._settings.is_sasl_required:
            raise AuthFailed(
                f"the IRC server refused the {name} login as {self._settings.sasl_account!r}: {line.param(-1)[:200]}",
                fix=f"check {self._settings.path}.sasl.account and its password",
            )
        log.warning("irc %s: %s login refused (%s)", self._settings.account_id, name, line.param(-1)[:200])
        return [serialise("CAP", "END")]

    def _finish_caps(self) -> list[bytes]:
        self._require_login()
        return [serialise("CAP", "END")]

    def _require_login(self) -> None:
        if self._settings.is_sasl_required and not self._is_logged_in:
            offered = self._offered.get("sasl")
            what = "no SASL at all" if offered is None else f"only {offered or 'an unnamed mechanism'}"
            raise AuthFailed(
                f"SASL is configured ({self._settings.sasl_mechanism}), but the IRC server offers {what}",
                fix=f"correct {self._settings.path}.sasl.mechanism, or remove sasl and set nickserv.password",
            )

    def _on_nick_taken(self, line: Line) -> list[bytes]:
        self._nick_tries += 1
        if self._nick_tries > _MOST_NICK_TRIES:
            raise Transient(f"every nick we tried is taken, the last was {self._view.nick!r}: {line.param(-1)[:200]}")
        if self._nick_tries <= 2:
            self._view.nick = self._settings.nick + "_" * self._nick_tries
        else:  # short enough for servers that allow nine characters
            self._view.nick = self._settings.nick[:5] + self._clock.choice("0123456789", 4)
        return [serialise("NICK", self._view.nick)]

    def _on_bad_nick(self, line: Line) -> list[bytes]:
        if self._nick_tries or len(self._settings.nick) > 9:
            return self._on_nick_taken(line)
        raise Permanent(
            f"the IRC server does not allow the nick {self._view.nick!r}: {line.param(-1)[:200]}",
            fix=f"choose another one in {self._settings.path}.nick",
        )

    def _on_welcome(self, line: Line) -> list[bytes]:
        self._require_login()
        self._view.nick = line.param(0) or self._view.nick
        self._view.server = line.source
        self._view.learn_prefix(line.param(-1).rpartition(" ")[2])
        self._view.connected_at = server_time(line)
        return []

    def _on_isupport(self, line: Line) -> list[bytes]:
        self._view.isupport.update(line.params[1:-1])
        return []

    def _on_end(self, line: Line) -> list[bytes]:  # noqa: ARG002 - the numeric says it all
        self.is_done = True
        return []

    def _on_bad_password(self, line: Line) -> list[bytes]:
        raise AuthFailed(
            f"the IRC server refused the connection password: {line.param(-1)[:200]}",
            fix=f"correct {self._settings.path}.password",
        )

    def _on_banned(self, line: Line) -> list[bytes]:
        raise Transient(f"this address is banned from the IRC server: {line.param(-1)[:200]}", retry_after=BANNED)

    def _on_error(self, line: Line) -> list[bytes]:
        if "password" in line.param(-1).lower():
            self._on_bad_password(line)
        raise closing(line)
