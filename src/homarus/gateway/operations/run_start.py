"""Starting a run for a client: one way for `chat.send`, `agent` and `sessions.send`."""

from __future__ import annotations

from homarus.gateway.operations.call import Call
from homarus.pipeline.contract import RunOutcome, Submission, Submitted
from homarus.protocol.chat import AbortResult, RunAck
from homarus.protocol.errors import UNAVAILABLE, Refusal
from homarus.protocol.frames import JsonObject
from homarus.protocol.names import CAP_TOOL_EVENTS
from homarus.sessions.keys import SessionKey


async def start_run(call: Call, submission: Submission, key: SessionKey, raw_key: str) -> Submitted:
    """Submit a message. Its events wait until the answer to this call is out; tool events go to the caller too.

    Raises UserError, StorageError.
    """
    feed = call.core.feed
    call.after_answer(feed.hold(submission.run_id, raw_key))
    if CAP_TOOL_EVENTS in call.caller.caps:
        feed.add_tool_recipient(submission.run_id, call.caller.conn_id)
        for run in call.services.runs.active():
            if run.session_key == str(key):
                feed.add_tool_recipient(run.run_id, call.caller.conn_id)
        await call.core.session_feed.prepare(key)
    submitted = await call.services.runs.submit(submission)
    if submitted.status != "known":
        call.core.session_feed.changed(key, "send")
    return submitted


def acknowledge(run_id: str, submitted: Submitted) -> RunAck:
    """Return the answer of `chat.send`. Raises Refusal for a repeated key whose run failed."""
    if submitted.status != "known":
        return {"runId": run_id, "status": "started"}
    outcome = submitted.outcome
    if outcome is None or outcome.state == "running":
        return {"runId": run_id, "status": "in_flight"}
    if outcome.state == "failed":
        raise failed_run(outcome)
    return {"runId": run_id, "status": "ok"}


def failed_run(outcome: RunOutcome) -> Refusal:
    """Return the refusal that says how a run failed."""
    summary = outcome.error or "the run failed"
    payload: JsonObject = {"runId": outcome.run_id, "status": "error", "summary": summary}
    return Refusal(UNAVAILABLE, summary, payload)


async def stop_runs(call: Call, key: SessionKey, run_id: str | None, reason: str) -> AbortResult:
    """Stop runs of a session; stopping none is fine. Raises UserError for runs of others."""
    stopped = await call.services.runs.abort(str(key), run_id, reason, call.caller.requester)
    return {"ok": True, "aborted": bool(stopped), "runIds": list(stopped)}


async def interrupt(call: Call, key: SessionKey) -> bool:
    """Stop what a session does before it gets another message; tell whether there was anything to stop."""
    if all(run.session_key != str(key) for run in call.services.runs.active()):
        return False
    return bool(await call.services.runs.abort(str(key), None, "interrupt", call.caller.requester))
