from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from homarus.testing.channel_rig import ChannelRig
from homarus.testing.irc_rig import IrcRig
from homarus.testing.telegram.rig import TelegramRig

RIGS: dict[str, Callable[[], ChannelRig]] = {
    "irc-plain": lambda: IrcRig(is_modern=False),
    "irc-ircv3": lambda: IrcRig(is_modern=True),
    "telegram": TelegramRig,
}


@pytest.fixture(params=sorted(RIGS))
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[ChannelRig]:
    async with RIGS[request.param]() as rig:
        yield rig
