from __future__ import annotations

import openai
import pytest

from homarus.testing.model_server import ModelServer, Refuse, Say


async def test_the_official_client_reads_a_stream_with_calls_and_usage() -> None:
    async with ModelServer() as server, openai.AsyncOpenAI(base_url=server.base_url, api_key="k") as client:
        server.will(Say("hello there", calls=(("read", '{"path":"a"}'),)))
        stream = await client.chat.completions.create(
            model="mock",
            messages=[{"role": "user", "content": "hi"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    calls = [call for chunk in chunks if chunk.choices for call in chunk.choices[0].delta.tool_calls or []]
    assert text == "hello there"
    assert "".join(call.function.arguments or "" for call in calls if call.function) == '{"path":"a"}'
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 10


async def test_the_official_client_reads_a_whole_answer() -> None:
    async with ModelServer() as server, openai.AsyncOpenAI(base_url=server.base_url, api_key="k") as client:
        answer = await client.chat.completions.create(model="mock", messages=[{"role": "user", "content": "hi"}])
    assert answer.choices[0].message.content == "echo: hi"
    assert answer.choices[0].finish_reason == "stop"


async def test_the_official_client_recognises_a_refusal() -> None:
    async with (
        ModelServer() as server,
        openai.AsyncOpenAI(base_url=server.base_url, api_key="k", max_retries=0) as client,
    ):
        server.will(Refuse(429, "slow down"))
        with pytest.raises(openai.RateLimitError, match="slow down"):
            await client.chat.completions.create(model="mock", messages=[{"role": "user", "content": "hi"}])


async def test_the_official_client_lists_the_models() -> None:
    async with ModelServer(("a", "b")) as server, openai.AsyncOpenAI(base_url=server.base_url, api_key="k") as client:
        assert [model.id async for model in client.models.list()] == ["a", "b"]
