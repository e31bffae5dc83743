from __future__ import annotations

import base64

import pytest
from tests.gateway.conftest import Running
from tests.gateway.raw_client import Frame, connected

from homarus.agent.events import ToolStarted
from homarus.labels import OPERATOR
from homarus.sessions.keys import parse_key

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 20).decode()


def send(message: str = "hi", key: str = "main", run: str = "r1", **more: object) -> Frame:
    return {"sessionKey": key, "message": message, "idempotencyKey": run, **more}


async def test_acknowledgement_comes_before_the_events_of_its_run(gateway: Running) -> None:
    async with connected(gateway.url) as client:
        await client.socket.send_json({"type": "req", "id": "s", "method": "chat.send", "params": send()})
        frames: list[Frame] = []
        while not (frames and frames[-1].get("payload", {}).get("state") == "final"):
            frames.append(await client.receive())
    kinds = [frame.get("id") or frame["event"] for frame in frames if frame.get("event") != "health"]
    assert kinds[0] == "s"
    assert kinds[1:] == ["agent", "agent", "chat", "agent", "agent", "chat", "chat"]
    assert frames[-1]["payload"]["message"]["content"] == [{"type": "text", "text": "echo: hi"}]
    assert frames[-1]["payload"]["sessionKey"] == "agent:main:main"


async def test_repeated_key_answers_how_the_run_stands(manual_gateway: Running) -> None:
    async with connected(manual_gateway.url) as client:
        assert (await client.call("chat.send", send()))["payload"] == {"runId": "r1", "status": "started"}
        assert (await client.call("chat.send", send()))["payload"] == {"runId": "r1", "status": "in_flight"}
        manual_gateway.runs.finish("r1", text="done")
        assert (await client.call("chat.send", send()))["payload"] == {"runId": "r1", "status": "ok"}
        assert (await client.call("chat.send", send(run="r2")))["ok"]
        manual_gateway.runs.finish("r2", "failed", error="no credit")
        failed = await client.call("chat.send", send(run="r2"))
    assert failed["payload"] == {"runId": "r2", "status": "error", "summary": "no credit"}
    assert failed["error"] == {"code": "UNAVAILABLE", "message": "no credit"}
    assert len(manual_gateway.runs.submissions) == 2


@pytest.mark.parametrize("word", ["/stop", "Stop!", "please stop.", "стоп", "停止。"])
async def test_stop_word_stops_the_session_instead_of_being_sent(manual_gateway: Running, word: str) -> None:
    async with connected(manual_gateway.url) as client:
        await client.call("chat.send", send())
        answer = await client.call("chat.send", send(word, run="r2"))
    assert answer["payload"] == {"ok": True, "aborted": True, "runIds": ["r1"]}
    assert [each.run_id for each in manual_gateway.runs.submissions] == ["r1"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (send(""), "message or attachment required"),
        (send(" \x01\n"), "message or attachment required"),
        (send("a\x00b"), "message must not contain null bytes"),
        (send(key="agent:ghost:main"), 'unknown agent id "ghost"'),
        (send(originatingChannel="irc"), "originatingChannel and originatingTo are required together"),
        (send(attachments=[{"content": "???"}]), "attachment 1: content is not valid base64"),
        (send(attachments=[{"fileName": "a.png"}]), "a.png: content must be base64"),
        (send(attachments=[{"content": "A" * 7_000_000}]), "attachment 1: larger than 5000000 bytes"),
    ],
)
async def test_message_that_cannot_be_sent_is_refused(gateway: Running, params: Frame, message: str) -> None:
    async with connected(gateway.url) as client:
        answer = await client.call("chat.send", params)
    assert answer["error"] == {"code": "INVALID_REQUEST", "message": message}
    assert gateway.runs.submissions == []


async def test_routes_and_provenance_need_admin(gateway: Running) -> None:
    async with connected(gateway.url, scopes=["operator.write"]) as client:
        routed = await client.call("chat.send", send(originatingChannel="irc", originatingTo="#x"))
        claimed = await client.call("chat.send", send(systemInputProvenance={"kind": "internal_system"}))
    assert routed["error"]["message"] == "originating route fields require admin scope"
    assert claimed["error"]["message"] == "system provenance fields require admin scope"


async def test_message_is_cleaned_and_images_travel_as_bytes(gateway: Running) -> None:
    attachments = [
        {"mimeType": "image/png", "content": f"data:image/png;base64,{PNG}"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        {"mimeType": "text/plain", "content": base64.b64encode(b"notes").decode()},
    ]
    async with connected(gateway.url) as client:
        assert (await client.call("chat.send", send("e\u0301\x07 ok", attachments=attachments)))["ok"]
    [submission] = gateway.runs.submissions
    assert submission.text == "é ok"
    assert [image.mime for image in submission.images] == ["image/png", "image/png"]


async def test_requester_carries_device_and_rights(gateway: Running) -> None:
    async with connected(gateway.url, scopes=["operator.write"]) as client:
        await client.call("chat.send", send())
    [submission] = gateway.runs.submissions
    assert submission.requester.device_id is not None
    assert submission.requester.is_admin is False


async def test_others_runs_are_not_stopped_without_admin(manual_gateway: Running) -> None:
    async with connected(manual_gateway.url) as owner:
        await owner.call("chat.send", send())
        async with connected(manual_gateway.url, scopes=["operator.write"]) as other:
            refused = await other.call("chat.abort", {"sessionKey": "main"})
        wrong = await owner.call("chat.abort", {"sessionKey": "other", "runId": "r1"})
        assert (await owner.call("chat.abort", {"sessionKey": "main"}))["payload"]["runIds"] == ["r1"]
        nothing = await owner.call("chat.abort", {"sessionKey": "main", "runId": "r1"})
    assert refused["error"]["message"] == "unauthorized"
    assert wrong["error"]["message"] == "runId does not match sessionKey"
    assert nothing["payload"] == {"ok": True, "aborted": False, "runIds": []}


async def test_history_is_bounded_cleaned_and_never_fails(gateway: Running) -> None:
    sessions = gateway.server.core.services.sessions
    session = await sessions.ensure(parse_key("main"))
    await sessions.append(session, "user", {"text": "x" * 100, "sender": {"id": "u", "name": "Ann"}}, OPERATOR)
    call = {"id": "c1", "name": "exec", "arguments": '{"command":"ls"}'}
    await sessions.append(
        session, "assistant", {"text": "", "tool_calls": [call], "stop_reason": "tool_calls"}, OPERATOR
    )
    await sessions.append(
        session,
        "tool_result",
        {"call_id": "c1", "name": "exec", "text": "a", "images": [{"mime": "image/png", "data": PNG}]},
        OPERATOR,
    )
    await sessions.append(session, "assistant", {"text": "no_reply"}, OPERATOR)
    await sessions.append(session, "assistant", {"text": "[[reply_to_current]] done"}, OPERATOR)
    async with connected(gateway.url) as client:
        unknown = (await client.call("chat.history", {"sessionKey": "never"}))["payload"]
        history = (await client.call("chat.history", {"sessionKey": "main", "maxChars": 10}))["payload"]
        last = (await client.call("chat.history", {"sessionKey": "main", "limit": 1}))["payload"]
    assert unknown == {"sessionKey": "never", "messages": [], "thinkingLevel": unknown["thinkingLevel"]}
    user, calls, result, done = history["messages"]
    assert user["content"] == [{"type": "text", "text": "x" * 10 + "\n...(truncated)..."}]
    assert user["senderLabel"] == "Ann"
    assert calls["content"] == [{"type": "toolCall", "id": "c1", "name": "exec", "arguments": {"command": "ls"}}]
    assert calls["stopReason"] == "toolUse"
    assert result["content"][1] == {"type": "image", "mimeType": "image/png", "omitted": True, "bytes": 30}
    assert done["content"] == [{"type": "text", "text": "done"}]
    assert [message["__openclaw"]["seq"] for message in history["messages"]] == [1, 2, 3, 5]
    assert len(last["messages"]) == 1


async def test_injected_message_is_stored_and_told(gateway: Running) -> None:
    async with connected(gateway.url) as client:
        missing = await client.call("chat.inject", {"sessionKey": "main", "message": "x"})
        await gateway.server.core.services.sessions.ensure(parse_key("main"))
        answer = await client.call("chat.inject", {"sessionKey": "main", "message": "note", "label": "cron"})
        told = await client.event("chat")
    assert missing["error"]["message"] == "session not found"
    assert told["runId"] == f"inject-{answer['payload']['messageId']}"
    assert (told["seq"], told["message"]["content"][0]["text"]) == (0, "[cron]\n\nnote")


async def test_agent_answers_twice_with_one_id(gateway: Running) -> None:
    async with connected(gateway.url) as client:
        accepted = await client.call("agent", {"message": "hi", "sessionKey": "agent:main:x", "idempotencyKey": "a1"})
        final = await client.answer_to("r2")
        assert accepted["payload"]["status"] == "accepted"
        assert final["payload"]["status"] == "ok"
        assert final["payload"]["result"]["payloads"] == [{"text": "echo: hi", "mediaUrl": None}]
        waited = await client.call("agent.wait", {"runId": "a1", "timeoutMs": 0})
        unknown = await client.call("agent.wait", {"runId": "nope", "timeoutMs": 1})
    assert waited["payload"]["status"] == "ok"
    assert unknown["payload"] == {"runId": "nope", "status": "timeout"}


async def test_agent_without_or_with_an_impossible_target_is_refused(gateway: Running) -> None:
    async with connected(gateway.url) as client:
        accepted = await client.call("agent", {"message": "hi", "idempotencyKey": "a1"})
        refused = await client.answer_to("r2")
        ghost = await client.call("agent", {"message": "hi", "agentId": "ghost", "idempotencyKey": "a2"})
        other = await client.call(
            "agent", {"message": "hi", "agentId": "main", "sessionKey": "agent:x:y", "idempotencyKey": "a3"}
        )
    assert accepted["payload"]["status"] == "accepted"
    assert (refused["error"]["code"], refused["payload"]["status"]) == ("UNAVAILABLE", "error")
    assert ghost["error"]["message"] == 'invalid agent params: unknown agent id "ghost"'
    assert "does not match session key agent" in other["error"]["message"]


async def test_model_override_needs_admin(gateway: Running) -> None:
    params = {"message": "hi", "agentId": "main", "model": "mock/mock-1", "idempotencyKey": "a1"}
    async with connected(gateway.url, scopes=["operator.write"]) as client:
        refused = await client.call("agent", params)
    assert refused["error"]["message"] == "provider/model overrides are not authorized for this caller."


async def test_tool_events_reach_the_client_that_asked_for_them(manual_gateway: Running) -> None:

    async with connected(manual_gateway.url, caps=["tool-events"]) as asker, connected(manual_gateway.url) as other:
        await asker.call("chat.send", send())
        manual_gateway.runs.emit("r1", ToolStarted("c1", "exec", {"command": "ls"}))
        told = await asker.event("agent", stream="tool")
        assert told["data"]["args"] == {"command": "ls"}
        assert told["session"]["key"] == "agent:main:main"
        assert (await other.event("agent"))["stream"] == "item"
