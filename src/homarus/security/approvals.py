"""Approvals: questions that wait for the owner. The first explicit answer wins; questions survive a restart."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from homarus.clock import Clock
from homarus.errors import UserError
from homarus.listeners import Listeners
from homarus.storage import approvals as rows
from homarus.storage.approvals import Approval, ApprovalKind
from homarus.storage.database import Database

Decision = Literal["allow-once", "allow-always", "deny"]
DECISIONS: Final = ("allow-once", "allow-always", "deny")
KEEP_MS: Final = 7 * 24 * 60 * 60 * 1000
"""Milliseconds answers are kept after their question expired."""
MAX_OPEN: Final = 512
"""Questions that may be open at once."""
MAX_REQUEST: Final = 256 * 1024
"""Characters of JSON one question may have."""
GRACE_MS: Final = 15_000
"""Milliseconds an expired question still answers those who ask for its outcome (reference 02)."""
MIN_PREFIX: Final = 4


class Question(Struct, frozen=True):
    """What is asked. `request` is shown to approvers; `requester` names the device and connection that asks."""

    kind: ApprovalKind
    request: dict[str, object]
    requester: dict[str, object]
    timeout_ms: int
    id: str | None = None


class UnknownApproval(UserError):
    """No open question has that id."""


class AmbiguousApproval(UserError):
    """Several open questions begin like that."""


class Approvals:
    """The desk of questions. Listeners hear `(event, approval)` with event `requested` or `resolved`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiters: dict[str, set[asyncio.Event]] = {}
        self._listeners: Listeners[[str, Approval]] = Listeners()

    def listen(self, listener: Callable[[str, Approval], None]) -> None:
        """Call `listener` after every question and answer is committed; it must not block and must not raise."""
        self._listeners.add(listener)

    async def ask(self, question: Question) -> Approval:
        """Store a question and tell the listeners. Raises UserError when it is too large or cannot be asked now."""
        if len(json.dumps(question.request)) > MAX_REQUEST:
            raise UserError(f"the approval request is larger than {MAX_REQUEST} characters")
        now = self._clock.now_ms()
        prefix = "plugin:" if question.kind == "plugin" else ""
        approval = Approval(
            id=question.id or f"{prefix}{self._clock.uuid()}",
            kind=question.kind,
            request=question.request,
            requester=question.requester,
            created_at=now,
            expires_at=now + question.timeout_ms,
        )
        is_stored = await self._database.write(
            rows.insert_approval, approval, forget_before=now - KEEP_MS, most=MAX_OPEN
        )
        if not is_stored:
            known = await self._read(approval.id)
            is_taken = known is not None and known.is_open(now)
            raise UserError("approval id already pending" if is_taken else "too many approvals are pending")
        self._listeners.tell("requested", approval)
        return approval

    async def abandon(self, approval: Approval) -> Approval:
        """Close a question that nobody can answer."""
        await self._database.write(rows.decide, approval.id, None, None, self._clock.now_ms())
        self._wake(approval.id)
        return await self._read(approval.id) or approval

    async def find(self, kind: ApprovalKind, identifier: str) -> Approval:
        """Return an open question by its id or an unambiguous beginning of it.

        Raises UnknownApproval or AmbiguousApproval.
        """
        now = self._clock.now_ms()
        exact = await self._read(identifier)
        if exact is not None and exact.kind == kind and exact.is_open(now):
            return exact
        if exact is None and len(identifier) >= MIN_PREFIX:
            waiting = await self._database.read(rows.select_open, kind, now)
            found = [each for each in waiting if each.id.startswith(identifier)]
            if len(found) > 1:
                raise AmbiguousApproval("ambiguous approval id prefix; use the full id")
            if found:
                return found[0]
        raise UnknownApproval("unknown or expired approval id")

    async def resolve(self, kind: ApprovalKind, identifier: str, decision: Decision, by: str | None) -> Approval:
        """Answer a question. Raises UnknownApproval when it is closed already, UserError for a forbidden answer."""
        approval = await self.find(kind, identifier)
        if decision not in allowed_decisions(approval):
            raise UserError(f"{decision} is unavailable because the effective policy requires approval every time")
        now = self._clock.now_ms()
        if not await self._database.write(rows.decide, approval.id, decision, by, now):
            raise UnknownApproval("unknown or expired approval id")
        resolved = replace(approval, decision=decision, resolved_by=by, resolved_at=now)
        self._wake(approval.id)
        self._listeners.tell("resolved", resolved)
        return resolved

    async def wait(self, kind: ApprovalKind, identifier: str) -> Approval:
        """Return a question once it is answered or has expired. Raises UnknownApproval when it is neither here nor was.

        Works for questions asked before a restart as well.
        """
        changed = asyncio.Event()
        self._waiters.setdefault(identifier, set()).add(changed)
        try:
            approval = await self._read(identifier)
            now = self._clock.now_ms()
            if approval is None or approval.kind != kind or _is_over(approval, now):
                raise UnknownApproval("approval expired or not found")
            if approval.is_open(now):
                await _wait_until(changed, (approval.expires_at - now) / 1000)
                approval = await self._read(identifier) or approval
            return approval
        finally:
            waiters = self._waiters.get(identifier, set())
            waiters.discard(changed)
            if not waiters:
                self._waiters.pop(identifier, None)

    async def read(self, identifier: str) -> Approval | None:
        """Return a question by its id, answered or not."""
        return await self._read(identifier)

    async def use_once(self, identifier: str) -> bool:
        """Consume an allow-once; False when it was used before."""
        return await self._database.write(rows.use_once, identifier, self._clock.now_ms())

    async def open(self, kind: ApprovalKind) -> list[Approval]:
        """Return the open questions of a kind, oldest first."""
        return await self._database.read(rows.select_open, kind, self._clock.now_ms())

    async def closed(self, limit: int, kind: ApprovalKind | None, after: tuple[int, str] | None) -> list[Approval]:
        """Return questions that are over, the newest first; `after` is when one ended (ms) and its id."""
        now = self._clock.now_ms()
        return await self._database.read(rows.select_closed, now, limit=limit, kind=kind, after=after)

    async def _read(self, identifier: str) -> Approval | None:
        return await self._database.read(rows.select_approval, identifier)

    def _wake(self, identifier: str) -> None:
        for waiter in self._waiters.get(identifier, ()):
            waiter.set()


def allowed_decisions(approval: Approval) -> tuple[str, ...]:
    """Return the answers a question takes: one that is asked every time cannot be allowed for good."""
    return decisions_for(approval.request.get("ask"))


def decisions_for(ask: object) -> tuple[str, ...]:
    """Return the answers for an `ask` setting."""
    return ("allow-once", "deny") if ask == "always" else DECISIONS


def _is_over(approval: Approval, now: int) -> bool:
    """Tell whether a question ended without an answer too long ago to speak of it."""
    return approval.decision is None and now > approval.expires_at + GRACE_MS


async def _wait_until(changed: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            await changed.wait()
    except TimeoutError:
        return
