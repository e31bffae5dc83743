from __future__ import annotations

from tests.gateway.conftest import Running
from tests.gateway.raw_client import connected


async def test_steering_stops_what_goes_on_and_begins_anew(manual_gateway: Running) -> None:
    async with connected(manual_gateway.url, minProtocol=4, maxProtocol=4) as client:
        await client.call("sessions.create", {"key": "main"})
        send = {"key": "main", "message": "one", "idempotencyKey": "r1"}
        assert "interruptedActiveRun" not in (await client.call("sessions.steer", send))["payload"]
        other = {"key": "main", "message": "two", "idempotencyKey": "r2"}
        steered = (await client.call("sessions.steer", other))["payload"]
        assert (steered["interruptedActiveRun"], steered["runId"]) == (True, "r2")
        assert (await client.event("chat", runId="r1", state="aborted"))["runId"] == "r1"


async def test_a_run_is_stopped_by_its_id_alone(manual_gateway: Running) -> None:
    async with connected(manual_gateway.url, minProtocol=4, maxProtocol=4) as client:
        await client.call("chat.send", {"sessionKey": "main", "message": "hi", "idempotencyKey": "r1"})
        stopped = (await client.call("sessions.abort", {"runId": "r1"}))["payload"]
        assert (stopped["abortedRunId"], stopped["status"]) == ("r1", "aborted")
        again = (await client.call("sessions.abort", {"runId": "r1", "clearQueued": True}))["payload"]
        assert (again["abortedRunId"], again["status"]) == (None, "no-active-run")
        assert (await client.call("sessions.abort", {}))["error"]["message"] == "key required"


async def test_a_new_session_is_made_as_asked_for(gateway: Running) -> None:
    async with connected(gateway.url, minProtocol=4, maxProtocol=4) as client:
        asked = {"category": "tax", "displayName": "Receipts", "thinkingLevel": "low", "model": "mock/mock-1"}
        made = (await client.call("sessions.create", asked))["payload"]
        assert made["resolved"] == {"modelProvider": "mock", "model": "mock-1"}
        row = (await client.call("sessions.describe", {"key": made["key"]}))["payload"]["session"]
        assert (row["category"], row["autoLabel"], row["thinkingLevel"]) == ("tax", "Receipts", "low")


async def test_a_new_session_can_begin_with_a_message_under_the_callers_key(gateway: Running) -> None:
    async with connected(gateway.url, minProtocol=4, maxProtocol=4) as client:
        asked = {"message": "hello", "idempotencyKey": "first", "timeoutMs": 5000}
        made = (await client.call("sessions.create", asked))["payload"]
        assert (made["runStarted"], made["runId"]) == (True, "first")
        assert (await client.event("chat", runId="first", state="final"))["sessionKey"] == made["key"]


async def test_an_id_that_a_client_of_version_4_made_up_names_a_session_of_its_own(manual_gateway: Running) -> None:
    async with connected(manual_gateway.url, minProtocol=4, maxProtocol=4) as client:
        asked = {"message": "hi", "sessionId": "s1", "idempotencyKey": "a1"}
        assert (await client.call("agent", asked))["payload"]["status"] == "accepted"
        assert manual_gateway.runs.submissions[-1].session_key == "agent:main:explicit:s1"
