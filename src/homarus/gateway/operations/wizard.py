"""Setting up by questions (reference 02, wizard)."""

from __future__ import annotations

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import operation
from homarus.gateway.wizard import WizardRun, Wizards
from homarus.protocol.errors import invalid, unavailable
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.protocol.wizard import WizardNextParams, WizardSessionParams, WizardStartParams


@operation("wizard.start", scope=Scope.ADMIN)
async def start_wizard(call: Call, params: WizardStartParams) -> JsonObject:
    """Begin to set up, and return the first question; one run at a time."""
    if params.mode == "remote":
        raise invalid("invalid wizard.start params: remote is set up on the client's own machine; use mode local")
    wizards = _wizards(call)
    if not wizards.is_there:
        raise unavailable("this gateway has no wizard; type `homarus onboard` on its machine")
    run = wizards.start((params.workspace or "").strip() or None)
    if run is None:
        raise unavailable("wizard already running")
    return {"sessionId": run.id, **await run.next()}


@operation("wizard.next", scope=Scope.ADMIN)
async def next_step(call: Call, params: WizardNextParams) -> JsonObject:
    """Answer the question that waits, and return the next one or the end."""
    run = _run(call, params.session_id)
    if params.answer is not None:
        if run.status != "running":
            raise invalid("wizard not running")
        if not run.answer(params.answer.step_id, params.answer.value):
            raise invalid("wizard: no pending step")
    return await run.next()


@operation("wizard.cancel", scope=Scope.ADMIN)
async def cancel_wizard(call: Call, params: WizardSessionParams) -> JsonObject:
    """Give a run up; nothing is written."""
    run = _run(call, params.session_id)
    run.cancel()
    await run.ended()
    return _status(run)


@operation("wizard.status", scope=Scope.ADMIN)
async def wizard_status(call: Call, params: WizardSessionParams) -> JsonObject:
    """Tell how a run stands."""
    return _status(_run(call, params.session_id))


def _run(call: Call, run_id: str) -> WizardRun:
    run = _wizards(call).find(run_id)
    if run is None:
        raise invalid("wizard not found")
    return run


def _status(run: WizardRun) -> JsonObject:
    return {"status": run.status, **({"error": run.error} if run.error else {})}


def _wizards(call: Call) -> Wizards:
    wizards = call.services.wizards
    if wizards is None:
        raise unavailable("this gateway has no wizard; type `homarus onboard` on its machine")
    return wizards
