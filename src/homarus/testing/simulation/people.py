"""Who writes what when: the script of one seed's chats."""

from __future__ import annotations

from random import Random
from typing import Literal

from msgspec import Struct

from homarus.channels.contract import ChatKind, Inbound, Sender
from homarus.ids import Address

CHANNEL = "net"
ACCOUNT = "default"
Expect = Literal["answered", "dropped", "paired", "stops"]


class Said(Struct, frozen=True):
    """One message as its platform has it. `name` such as `c2m5` is unique; `expect` is what must become of it."""

    at: float
    name: str
    inbound: Inbound
    expect: Expect


def write_script(random: Random, seconds: float) -> list[Said]:
    """Return what is said within some seconds, in order."""
    said: list[Said] = []
    for chat in range(random.randint(1, 5)):
        is_group = random.random() < 0.4
        pace = random.choice((0.5, 5.0, 40.0))
        at = random.uniform(0.0, 20.0)
        for number in range(random.randint(1, 10)):
            at += random.expovariate(1 / pace)
            if at < seconds:
                said.append(_say(random, at, chat, number, is_group=is_group))
    return sorted(said, key=lambda item: (item.at, item.name))


def _say(random: Random, at: float, chat: int, number: int, *, is_group: bool) -> Said:
    name = f"c{chat}m{number}"
    roll = random.random()
    if is_group:
        is_ignored = roll < 0.15
        sender = Sender(f"member{random.randint(1, 3)}", "Member")
        address = Address(CHANNEL, ACCOUNT, f"#room{chat}")
        inbound = Inbound(address, name, sender, ChatKind.GROUP, f"<{name}> hello", is_mentioned=not is_ignored)
        return Said(at, name, inbound, "dropped" if is_ignored else "answered")
    if roll < 0.05:
        return _direct(at, name, f"stranger{chat}", f"<{name}> let me in", "paired")
    if roll < 0.10:
        return _direct(at, name, f"friend{chat}", "stop", "stops")
    return _direct(at, name, f"friend{chat}", f"<{name}> " + "word " * random.randint(1, 30), "answered")


def _direct(at: float, name: str, sender: str, text: str, expect: Expect) -> Said:
    address = Address(CHANNEL, ACCOUNT, sender)
    return Said(at, name, Inbound(address, name, Sender(sender), ChatKind.DIRECT, text), expect)
