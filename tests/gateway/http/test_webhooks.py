from __future__ import annotations

import io
from typing import cast

import aiohttp
import pytest
from tests.gateway.conftest import Running
from tests.gateway.fake_services import FakeChannels, FakeHook

LIMIT = 1024 * 1024


@pytest.fixture
def hook(gateway: Running) -> FakeHook:
    taken = FakeHook()
    cast("FakeChannels", gateway.server.core.services.channels).hooks["/hook"] = taken
    return taken


async def call(gateway: Running, path: str, body: bytes, **headers: str) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.post(gateway.http + path, data=io.BytesIO(body), headers=headers) as answer,
    ):
        return answer.status


async def test_a_platform_may_call_its_channel_by_the_owners_public_name(gateway: Running, hook: FakeHook) -> None:
    status = await call(gateway, "/hook", b'{"a":1}', **{"X-Secret": "right", "Host": "bot.example.org"})
    assert (status, hook.bodies) == (200, [b'{"a":1}'])


async def test_a_wrong_secret_is_refused_and_nothing_is_taken(gateway: Running, hook: FakeHook) -> None:
    assert await call(gateway, "/hook", b"{}", **{"X-Secret": "wrong"}) == 401
    assert hook.bodies == []


async def test_the_body_is_read_only_up_to_the_limit_and_one_byte(gateway: Running, hook: FakeHook) -> None:
    assert await call(gateway, "/hook", b"x" * (LIMIT + 50_000), **{"X-Secret": "right"}) == 413
    assert await call(gateway, "/hook", b"x" * LIMIT, **{"X-Secret": "right"}) == 200
    assert [len(body) for body in hook.bodies] == [LIMIT]


async def test_other_paths_and_methods_do_not_reach_a_channel(gateway: Running, hook: FakeHook) -> None:
    assert await call(gateway, "/other", b"{}", **{"X-Secret": "right"}) in {404, 405}
    assert await call(gateway, "/other", b"{}", Host="bot.example.org") == 421
    assert hook.bodies == []
