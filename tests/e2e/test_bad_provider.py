"""A model provider that fails in every way: one clear message, a named state, and the session goes on."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.e2e.conversation import conversation
from tests.e2e.process import GatewayProcess, gateway, write_config

from homarus.testing.model_server import Cut, Hang, ModelServer, Raw, Refuse, Reply, Say, Stall

SECRET = "sk-secret-0123456789abcdef"


def provider_config(base_url: str) -> dict[str, object]:
    provider = {
        "baseUrl": base_url,
        "apiKey": SECRET,
        "api": "openai-completions",
        "models": [{"id": "mock", "name": "Mock"}],
    }
    defaults = {"model": {"primary": "mock/mock"}, "llm": {"idleTimeoutSeconds": 1}}
    return {"models": {"providers": {"mock": provider}}, "agents": {"defaults": defaults}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model() -> AsyncGenerator[ModelServer]:
    async with ModelServer() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(model: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[GatewayProcess]:
    home = tmp_path_factory.mktemp("provider")
    write_config(home, provider_config(model.base_url))
    async with gateway(home) as process:
        yield process


FAULTS: dict[str, tuple[tuple[Reply, ...], str]] = {
    "401": ((Refuse(401, f"wrong key {SECRET}"),), "models.providers.mock.apiKey"),
    "429 for an hour": ((Refuse(429, headers={"Retry-After": "3600"}),), "limits the rate"),
    "500 again and again": ((Refuse(500),) * 3, "problem on its side"),
    "no answer": ((Hang(),) * 3, "did not answer in time"),
    "falls silent": ((Stall("half an answer"),), "stopped sending"),
    "cuts the stream": ((Cut("half an answer"),), "cut the connection"),
    "a web page": ((Raw(b"<html>welcome</html>", "text/html"),) * 3, "a web page instead of a completion"),
    "broken events": ((Raw(b"data: {{{\n\ndata: [DONE]\n\n"),) * 3, "mock"),
    "another API": ((Raw(b'{"hello": 1}', "application/json"),) * 3, "without any content"),
    "a redirect": ((Refuse(302, headers={"Location": "http://127.0.0.1:9/"}),), "models.providers.mock"),
}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("fault", FAULTS)
async def test_the_user_is_told_once_and_can_go_on(running: GatewayProcess, model: ModelServer, fault: str) -> None:
    replies, told = FAULTS[fault]
    model.drop_replies()
    model.will(*replies)
    async with conversation(running.client()) as session:
        failed = await session.say("hello there")
        assert failed.status == "error"
        assert [end["state"] for end in failed.ends] == ["error"]
        assert told in failed.error
        assert SECRET not in failed.error
        state, reason = await session.state_of(failed.run_id)
        assert state == "failed"
        assert told in reason
        model.drop_replies()
        again = await session.say("and now")
        assert again.status == "ok"
        assert again.text.endswith("and now")
        roles = [message["role"] for message in await session.history()]
        assert roles == ["user", "assistant", "user", "assistant"]
    assert SECRET not in (running.home / "stderr.txt").read_text()


@pytest.mark.asyncio(loop_scope="module")
async def test_clients_are_told_which_model_failed_and_why(running: GatewayProcess, model: ModelServer) -> None:
    model.drop_replies()
    model.will(Refuse(429, f"slow down, {SECRET}", headers={"Retry-After": "3600"}))
    async with conversation(running.client()) as session:
        [end] = (await session.say("hello there")).ends
    assert end["errorKind"] == "rate_limit"
    detail = end["errorDetail"]
    assert (detail["provider"], detail["model"], detail["httpStatus"]) == ("mock", "mock", 429)
    assert (detail["failoverReason"], detail["providerErrorType"]) == ("rate_limit", "error")
    assert detail["providerErrorMessagePreview"] == "slow down, [key]"


@pytest.mark.asyncio(loop_scope="module")
async def test_what_was_written_before_the_stream_broke_is_kept(running: GatewayProcess, model: ModelServer) -> None:
    model.drop_replies()
    model.will(Cut("half an answer"))
    async with conversation(running.client()) as session:
        await session.say("hello there")
        last = (await session.history())[-1]
    assert last["content"] == [{"type": "text", "text": "half an answer"}]
    assert last["stopReason"] == "error"


@pytest.mark.asyncio(loop_scope="module")
async def test_a_short_wait_the_provider_asks_for_is_kept_and_nobody_notices(
    running: GatewayProcess, model: ModelServer
) -> None:
    model.drop_replies()
    model.will(Refuse(429, headers={"Retry-After": "1"}), Refuse(503), Say("at last"))
    async with conversation(running.client()) as session:
        answer = await session.say("hello there")
        assert (answer.status, answer.text) == ("ok", "at last")
        assert await session.state_of(answer.run_id) == ("delivered", "transcript")


async def test_a_provider_that_is_not_there_is_named(home: Path) -> None:
    write_config(home, provider_config("http://127.0.0.1:9/v1"))
    async with gateway(home) as running, conversation(running.client()) as session:
        failed = await session.say("hello there")
        assert failed.status == "error"
        assert "mock" in failed.error
        assert (await session.state_of(failed.run_id))[0] == "failed"
