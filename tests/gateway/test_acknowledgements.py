from __future__ import annotations

import asyncio
from typing import cast

import pytest
from tests.pipeline.harness import FakeNetwork

from homarus.channels.contract import Capabilities
from homarus.channels.policy_config import ChannelPolicyConfig
from homarus.errors import Permanent
from homarus.gateway.acknowledgements import MAX_PER_CHAT, Acknowledgements, Acknowledging, AckScope
from homarus.ids import Address
from homarus.labels import Confidentiality, Integrity, Label
from homarus.pipeline.access import AccessRules
from homarus.pipeline.accounts import Account
from homarus.storage.records import InboundMessage

POLICY = ChannelPolicyConfig.model_validate({"groups": {"#free": {"requireMention": False}, "#room": {}}})
ACCOUNT = Account("net", "default", AccessRules(POLICY), Capabilities(can_react=True))
ROOM = Address("net", "default", "#room")


def message(kind: str, chat: str, name: str = "m1") -> InboundMessage:
    return InboundMessage(
        id=name, address=Address("net", "default", chat), external_id=name, kind=kind, sender_id="s", sender_name="",
        text="x", payload={}, label=Label(Integrity.USER, Confidentiality.CHAT, ()), state="queued", received_at=0,
    )  # fmt: skip


class ReactingNetwork(FakeNetwork):
    """Keeps the reactions on messages; refuses those on `gone`."""

    def __init__(self) -> None:
        super().__init__()
        self.reactions: dict[str, str | None] = {}
        self.calls = 0
        self.called = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def react(self, address: Address, platform_id: str, emoji: str | None) -> None:
        self.calls += 1
        self.called.set()
        await self.gate.wait()
        if platform_id == "gone":
            raise Permanent("no such message")
        self.reactions[platform_id] = emoji

    async def after(self, calls: int) -> None:
        while self.calls < calls:
            self.called.clear()
            await asyncio.wait_for(self.called.wait(), 30)


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        ("group-mentions", {"#room"}),
        ("group-all", {"#room", "#free"}),
        ("direct", {"ann"}),
        ("all", {"#room", "#free", "ann"}),
        ("off", set[str]()),
        ("none", set[str]()),
    ],
)
def test_a_scope_says_which_messages_get_the_reaction(scope: str, covered: set[str]) -> None:
    how = Acknowledging("o", cast("AckScope", scope), is_removed=False)
    kinds = {"#room": "group", "#free": "group", "ann": "direct"}
    assert {chat for chat, kind in kinds.items() if how.covers(message(kind, chat), ACCOUNT)} == covered


async def test_a_reaction_stays_or_goes_with_the_end_of_the_run() -> None:
    network, shown = ReactingNetwork(), Acknowledgements()
    shown.show(network, message("group", "#room", "kept"), Acknowledging("o", "all", is_removed=False))
    shown.show(network, message("group", "#room", "taken"), Acknowledging("o", "all", is_removed=True))
    await network.after(2)
    assert network.reactions == {"kept": "o", "taken": "o"}
    shown.remove(network, ROOM)
    shown.remove(network, ROOM)
    await network.after(3)
    assert network.reactions == {"kept": "o", "taken": None}


async def test_a_reaction_is_taken_off_after_it_was_put_on_however_soon_the_answer_is_done() -> None:
    network, shown = ReactingNetwork(), Acknowledgements()
    network.gate.clear()
    shown.show(network, message("group", "#room"), Acknowledging("o", "all", is_removed=True))
    shown.remove(network, ROOM)
    for _ in range(5):
        await asyncio.sleep(0)
    assert network.calls == 1
    network.gate.set()
    await network.after(2)
    assert network.reactions == {"m1": None}


async def test_a_reaction_that_cannot_be_taken_off_is_not_put_on() -> None:
    network, shown = ReactingNetwork(), Acknowledgements()
    for number in range(MAX_PER_CHAT + 1):
        shown.show(network, message("group", "#room", f"m{number}"), Acknowledging("o", "all", is_removed=True))
    await network.after(MAX_PER_CHAT)
    await shown.close()
    assert network.calls == MAX_PER_CHAT


async def test_a_reaction_that_is_refused_is_left_out() -> None:
    network, shown = ReactingNetwork(), Acknowledgements()
    how = Acknowledging("o", "all", is_removed=False)
    shown.show(network, message("group", "#room", "gone"), how)
    shown.show(network, message("group", "#room", "there"), how)
    await network.after(2)
    await shown.close()
    assert network.reactions == {"there": "o"}
