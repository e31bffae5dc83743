"""Login with NickServ, where SASL was not possible, and getting our nick back."""

from __future__ import annotations

import re
from enum import StrEnum

from homarus.channels.irc.settings import Settings
from homarus.channels.irc.view import View
from homarus.channels.irc.wire import Line, serialise


class Login(StrEnum):
    """Where the login stands."""

    NONE = "none"
    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"


# Services answer in prose; these are the words of Atheme, Anope, Ergo and their kin.
_GOOD = re.compile(
    r"(you are now|you're now|successfully) (identified|logged in|recognized)|password accepted", re.IGNORECASE
)
_UNKNOWN = re.compile(r"(is not|isn't|not) (a )?registered", re.IGNORECASE)
_BAD = re.compile(
    r"(incorrect|invalid|wrong) password|password (is )?(incorrect|wrong|invalid)|invalid credentials"
    r"|authentication failed",
    re.IGNORECASE,
)


class NickServ:
    """One login on one connection. `begin`, `feed` and `reclaim` return the lines to send."""

    def __init__(self, settings: Settings, view: View) -> None:
        self._settings = settings
        self._view = view
        self._has_registered = False
        self.login = Login.NONE

    def begin(self) -> list[bytes]:
        """Identify, unless SASL has logged us in or there is no password."""
        if self._view.account or self._settings.nickserv_password is None:
            return []
        self.login = Login.WAITING
        return self._say("IDENTIFY", self._settings.nickserv_password)

    def feed(self, line: Line) -> list[bytes]:
        """Take a line while waiting: 900, our own ACCOUNT, the service's notice, or 401 when there is no service."""
        if self.login is not Login.WAITING:
            return []
        if line.command == "401":
            self.login = self.login if not self._is_named(line.param(1)) else Login.NONE
        elif line.command == "900" or (line.command == "ACCOUNT" and line.param(0) != "*"):
            self.login = Login.DONE
        elif line.command == "NOTICE" and self._is_named(line.nick):
            return self._on_notice(line.param(1))
        return []

    def reclaim(self) -> list[bytes]:
        """Ask the service to free our nick, when we have another one and a password."""
        if self._view.is_me(self._settings.nick) or self._settings.nickserv_password is None:
            return []
        return [
            *self._say("GHOST", f"{self._settings.nick} {self._settings.nickserv_password}"),
            serialise("NICK", self._settings.nick),
        ]

    def _on_notice(self, text: str) -> list[bytes]:
        if _GOOD.search(text):
            self.login = Login.DONE
        elif _UNKNOWN.search(text) and self._settings.nickserv_email is not None and not self._has_registered:
            self._has_registered = True
            return self._say("REGISTER", f"{self._settings.nickserv_password} {self._settings.nickserv_email}".strip())
        elif _BAD.search(text) or _UNKNOWN.search(text):
            self.login = Login.REFUSED
        return []

    def _is_named(self, name: str) -> bool:
        service = self._settings.nickserv.partition("@")[0]
        return self._view.isupport.fold(name.partition("@")[0]) == self._view.isupport.fold(service)

    def _say(self, verb: str, argument: str) -> list[bytes]:
        return [serialise("PRIVMSG", self._settings.nickserv, f"{verb} {argument}")]
