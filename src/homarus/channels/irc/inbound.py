"""From a PRIVMSG line to the facts the core needs."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from homarus.channels.contract import ChatKind, Inbound, Sender
from homarus.channels.irc.servertime import server_time
from homarus.channels.irc.settings import Settings
from homarus.channels.irc.view import View
from homarus.channels.irc.wire import Line
from homarus.channels.sdk.mention import is_mentioned, strip_address
from homarus.clock import Clock
from homarus.ids import Address

CHANNEL_ID = "irc"

_CODES = re.compile(
    "\x03(?:[0-9]{1,2}(?:,[0-9]{1,2})?)?|\x04(?:[0-9A-Fa-f]{6}(?:,[0-9A-Fa-f]{6})?)?|[\x00-\x08\x0b-\x1f\x7f]"
)
_ACTION = re.compile("\x01ACTION (.*?)\x01?$")


class Reader(Struct, frozen=True):
    """Turns lines into messages. `is_mine` tells whether a message id belongs to a line we sent."""

    settings: Settings
    clock: Clock
    is_mine: Callable[[str], bool]

    def message(self, line: Line, view: View) -> Inbound | None:
        """Return the message in a PRIVMSG line, None when there is nothing to answer in it."""
        status, target = view.isupport.split_status(line.param(0))
        text = strip_codes(self._spoken(line))
        if not text or "!" not in line.source or self._is_stale(line, view):
            return None
        is_room = view.isupport.is_channel(target)
        fold = view.isupport.fold
        if not is_room and not view.is_me(target):
            return None
        addressed = strip_address(text, view.nick, fold)
        reply_to = line.tags.get("+reply") or line.tags.get("+draft/reply") or None
        chat = fold(target if is_room else line.nick)
        return Inbound(
            address=Address(CHANNEL_ID, self.settings.account_id, chat, status or None),
            external_id=line.tags.get("msgid") or f"line:{self.clock.uuid()}",
            sender=sender_of(line, view),
            kind=ChatKind.GROUP if is_room else ChatKind.DIRECT,
            text=addressed or text,
            is_mentioned=addressed is not None or self._is_mentioned(text, view),
            is_reply_to_me=self.is_mine(reply_to or ""),
            reply_to=reply_to,
            sent_at=server_time(line),
        )

    def _spoken(self, line: Line) -> str:
        text = line.param(1)
        if action := _ACTION.match(text):
            return f"* {line.nick} {action.group(1)}"
        return "" if text.startswith("\x01") else text

    def _is_mentioned(self, text: str, view: View) -> bool:
        if is_mentioned(text, view.nick, view.isupport.fold):
            return True
        return any(pattern.search(text) for pattern in self.settings.mention_patterns)

    def _is_stale(self, line: Line, view: View) -> bool:
        """Return whether a line is played back and cannot be told from one that was already answered, or is old."""
        sent_at = server_time(line)
        is_older = sent_at is not None and view.connected_at is not None and sent_at < view.connected_at
        if not is_older and not view.is_replayed(line):
            return False
        if not line.tags.get("msgid") or sent_at is None:
            return True
        now = view.connected_at or self.clock.now_ms()
        return now - sent_at > self.settings.timings.replay * 1000


def sender_of(line: Line, view: View) -> Sender:
    """Return who sent a line: the services account when the server vouches for one, else the full host mask.

    The mask and its halves are aliases; the bare nick is only the name, because anybody can take it.
    """
    fold = view.isupport.fold
    nick, _, address = line.source.partition("!")
    user, _, host = address.partition("@")
    nick, user, host = fold(nick), user.lower(), host.lower()
    account = _account(line, view)
    mask = f"{nick}!{user}@{host}"
    partial = (f"{nick}!{user}", f"{nick}@{host}")
    return Sender(
        id=f"account:{fold(account)}" if account else mask,
        name=line.nick,
        aliases=(mask, *partial) if account else partial,
        is_bot="bot" in line.tags,
    )


def strip_codes(text: str) -> str:
    """Return text without the formatting codes of IRC clients and other control characters."""
    return _CODES.sub("", text).strip()


def _account(line: Line, view: View) -> str:
    if "account-tag" in view.caps:  # then a line without the tag comes from somebody who is not logged in
        return line.tags.get("account", "")
    if {"extended-join", "account-notify"} <= view.caps:
        return view.roster.account(view.isupport.fold(line.nick))
    return ""
