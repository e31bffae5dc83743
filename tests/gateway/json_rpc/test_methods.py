"""Every method JSON-RPC clients know by its own name does what the operation behind it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.gateway.conftest import Running, stop
from tests.gateway.json_rpc.conftest import BEARER, RpcClient, rpc, start_with_tools

from homarus.clock import SystemClock
from homarus.gateway.json_rpc.methods import METHODS
from homarus.gateway.json_rpc.notifications import notifications_of
from homarus.gateway.operations.catalogue import build_registry

SPECIFIED = (
    "session.create",
    "session.message",
    "message.send",
    "agent.send",
    "session.list",
    "tool.invoke",
    "tool.execute",
    "channels.list",
    "channels.status",
    "channel.send",
)


@pytest.mark.parametrize("name", SPECIFIED)
def test_methods_of_the_specification_stand_for_operations_that_exist(name: str) -> None:
    assert build_registry().find(METHODS[name].operation) is not None
    assert METHODS[name].summary


async def test_every_operation_is_called_by_its_own_name_too(client: RpcClient) -> None:
    for method, member in (("sessions.list", "sessions"), ("config.get", "config"), ("agents.list", "agents")):
        assert member in (await client.call(method, {}))["result"]


async def test_a_session_is_made_by_name_person_or_anew(client: RpcClient) -> None:
    named = await client.call("session.create", {"sessionId": "Notes", "agentId": "main"})
    assert named["result"]["sessionId"] == "agent:main:notes"
    person = await client.call("session.create", {"channel": "discord", "userId": "123456"})
    assert person["result"]["sessionId"] == "agent:main:discord:direct:123456"
    fresh = {(await client.call("session.create"))["result"]["sessionId"] for _ in range(2)}
    assert len(fresh) == 2
    assert person["result"]["status"] == "active"


async def test_what_a_session_cannot_have_is_said(client: RpcClient) -> None:
    config = {"model": "mock/mock-1", "temperature": 0.7}
    made = await client.call("session.create", {"sessionId": "a", "capabilities": {"x": 1}, "config": config})
    assert made["result"]["ignored"] == ["capabilities", "config.temperature"]
    unknown = await client.call("session.create", {"sessionId": "a", "config": {"model": "gpt-4"}})
    assert (unknown["error"]["code"], "gpt-4" in unknown["error"]["message"]) == (-32602, True)
    half = await client.call("session.create", {"channel": "discord"})
    assert "channel and userId are given together" in half["error"]["message"]


@pytest.mark.parametrize(("method", "text"), [("session.message", "message"), ("message.send", "content")])
async def test_messages_start_runs_once_per_key(gateway: Running, client: RpcClient, method: str, text: str) -> None:
    await client.call("session.create", {"sessionId": "notes"})
    params = {"sessionId": "notes", text: "hello", "metadata": {"idempotencyKey": "k1"}}
    first = await client.call(method, params)
    assert (first["result"]["runId"], first["result"]["status"]) == ("k1", "started")
    assert (await client.call(method, params))["result"]["status"] in {"in_flight", "ok"}
    assert [each.text for each in gateway.runs.submissions] == ["hello"]


async def test_a_message_to_nowhere_is_refused(client: RpcClient) -> None:
    answer = await client.call("session.message", {"sessionId": "nowhere", "message": "hello"})
    assert (answer["error"]["code"], answer["error"]["message"]) == (-32602, "session not found: nowhere")


async def test_an_agent_answers_with_its_reply(client: RpcClient) -> None:
    answer = await client.call("agent.send", {"message": "hello"})
    assert answer["result"]["status"] == "ok"
    assert "echo: hello" in str(answer["result"])
    elsewhere = await client.call("agent.send", {"message": "hello", "sessionId": "other"})
    assert elsewhere["result"]["status"] == "ok"


async def test_sessions_are_listed_by_the_name_calls_take(client: RpcClient) -> None:
    made = await client.call("session.create", {"sessionId": "notes"})
    row = (await client.call("session.list", {"limit": 5}))["result"]["sessions"][0]
    assert row["sessionId"] == made["result"]["sessionId"]
    assert row["transcriptId"] == made["result"]["transcriptId"]


async def test_channels_are_listed_and_looked_at(client: RpcClient) -> None:
    listed = (await client.call("channels.list"))["result"]["channels"]
    assert [(each["channel"], each["label"]) for each in listed] == [("irc", "IRC")]
    one = (await client.call("channels.status", {"channel": "IRC", "probe": True}))["result"]
    assert one["accounts"][0]["probe"]["ok"] is True
    unknown = await client.call("channels.status", {"channel": "discord"})
    assert unknown["error"]["message"] == "unknown channel 'discord'; channels.list names those there are"
    assert "channelAccounts" in (await client.call("channels.status"))["result"]


async def test_a_text_is_sent_through_a_channel(client: RpcClient) -> None:
    sent = await client.call("channel.send", {"channel": "discord", "message": {"text": "hi", "to": "1"}})
    assert "unsupported channel: discord" in sent["error"]["message"]
    wrong = await client.call("channel.send", {"channel": "irc", "message": {"text": "hi"}})
    assert "must have required property 'to'" in wrong["error"]["message"]


async def test_problems_are_named_under_the_method_that_was_called(client: RpcClient) -> None:
    answer = await client.call("session.create", {"sessionId": "a", "label": ""})
    assert answer["error"]["message"].startswith("invalid session.create params: at /label")
    assert answer["error"]["data"]["code"] == "INVALID_REQUEST"


@pytest.fixture
async def tools(tmp_path: Path):  # noqa: ANN201 - a fixture
    running = await start_with_tools(tmp_path, {"gateway": {"tools": {"deny": ["remember"], "allow": ["write"]}}})
    yield running
    await stop(running)


async def test_tools_run_in_the_workspace_of_the_sessions_agent(tools: Running) -> None:
    async with rpc(tools.url, BEARER) as client:
        wrote = await client.call(
            "tool.execute", {"sessionId": "main", "tool": "write", "parameters": {"path": "a.txt", "text": "hello"}}
        )
        assert wrote["result"]["ok"] is True, wrote
        read = await client.call("tool.invoke", {"tool": "read", "parameters": {"path": "a.txt"}})
        assert "hello" in read["result"]["output"]["content"][0]["text"]
    assert (tools.folder / "workspace" / "a.txt").read_text() == "hello"


@pytest.mark.parametrize(
    ("tool", "arguments", "code"),
    [
        ("nothing", {}, "not_found"),
        ("recall", {"query": "x"}, "not_found"),
        ("exec", {"command": "id"}, "tool_call_blocked"),
        ("edit", {}, "tool_call_blocked"),
        ("remember", {"text": "x"}, "tool_call_blocked"),
        ("read", {"path": "../../etc/passwd"}, "tool_error"),
        ("read", {"file": 1}, "tool_call_blocked"),
    ],
)
async def test_tools_that_may_not_run_do_not(tools: Running, tool: str, arguments: Any, code: str) -> None:
    async with rpc(tools.url, BEARER) as client:
        result = (await client.call("tool.execute", {"tool": tool, "parameters": arguments}))["result"]
    assert (result["ok"], result["error"]["code"]) == (False, code)
    assert not list((tools.folder / "workspace").iterdir() if (tools.folder / "workspace").exists() else [])


async def test_a_gateway_without_tools_says_so(client: RpcClient) -> None:
    answer = await client.call("tool.invoke", {"tool": "read"})
    assert (answer["error"]["code"], answer["error"]["message"]) == (-32000, "this gateway has no tools")


def test_a_message_somebody_wrote_on_a_channel_is_told_as_such() -> None:
    row = {"sessionKey": "agent:main:irc:direct:ann", "lastChannel": "irc", "lastTo": "ann", "lastAccountId": "default"}
    said = {"role": "user", "content": [{"type": "text", "text": "hello"}]}
    told = notifications_of("session.message", {**row, "messageId": "m1", "message": said})
    assert len(told) == 2
    assert '"method":"channel.message"' in told[1]
    assert '"text":"hello"' in told[1]
    assert len(notifications_of("session.message", {**row, "message": {"role": "assistant", "content": "x"}})) == 1
    assert len(notifications_of("session.message", {**row, "lastChannel": "webchat", "message": said})) == 1


def test_every_method_makes_parameters_its_operation_takes() -> None:
    registry = build_registry()
    given: dict[str, dict[str, Any]] = {
        "session.create": {"sessionId": "a", "label": "b", "config": {"model": "m"}},
        "session.message": {"sessionId": "a", "message": "b", "metadata": {"thinking": "low", "timeoutMs": 5}},
        "message.send": {"sessionId": "a", "content": "b", "attachments": []},
        "agent.send": {"message": "a", "sessionId": "b", "metadata": {"timeoutMs": 2500, "idempotencyKey": "k"}},
        "session.list": {"limit": 1, "agentId": "main", "search": "x"},
        "tool.invoke": {"tool": "read", "sessionId": "a", "agentId": "main", "parameters": {}},
        "tool.execute": {"tool": "read"},
        "channels.list": {},
        "channels.status": {"channel": "irc", "probe": True, "timeoutMs": 5},
        "channel.send": {"channel": "irc", "message": {"text": "a", "to": "b"}, "options": {"accountId": "c"}},
    }
    assert set(given) == set(METHODS)
    for name, params in given.items():
        asked, _tell = METHODS[name].translate(params, SystemClock())
        operation = registry.find(METHODS[name].operation)
        assert operation is not None
        operation.params.model_validate(asked)
