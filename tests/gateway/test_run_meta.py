from __future__ import annotations

from tests.gateway.conftest import Running
from tests.gateway.raw_client import connected


async def test_the_answer_of_agent_says_what_was_asked_and_what_it_took(gateway: Running) -> None:
    async with connected(gateway.url, minProtocol=4, maxProtocol=4) as client:
        client.sent += 1
        params = {"message": "hi", "sessionKey": "main", "idempotencyKey": "r1", "deliver": False}
        await client.send({"type": "req", "id": "a", "method": "agent", "params": params})
        await client.answer_to("a")
        meta = (await client.answer_to("a"))["payload"]["result"]["meta"]
    receipt, room = meta["agentMeta"]["terminalReceipt"], meta["agentMeta"]["contextBudgetStatus"]
    assert (receipt["runId"], receipt["requested"]) == ("r1", {"provider": "mock", "model": "mock-1"})
    assert (room["contextTokenBudget"], room["route"], room["shouldCompact"]) == (200_000, "fits", False)
    assert room["remainingPromptBudgetTokens"] == 200_000 - room["reserveTokens"] - room["estimatedPromptTokens"]
    assert meta["executionTrace"]["attempts"][0]["result"] == "success"
    assert meta["completion"] == {"stopReason": "stop", "finishReason": "stop"}
    assert meta["finalAssistantVisibleText"] == meta["finalAssistantRawText"] != ""


async def test_changes_of_the_gateway_are_counted_by_the_rule_of_the_version(gateway: Running) -> None:
    for protocol, most in ((3, 3), (4, 30)):
        async with connected(gateway.url, minProtocol=protocol, maxProtocol=protocol) as client:
            answers = [await client.call("config.patch", {"raw": "not json"}) for _ in range(most + 1)]
        assert all("rate limit" not in answer["error"]["message"] for answer in answers[:most])
        assert answers[-1]["error"]["details"]["limit"] == f"{most} per 60s"
