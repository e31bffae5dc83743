"""Telling the owner that a job fails."""

from __future__ import annotations

import logging
from collections.abc import Callable

from homarus.automation.contract import Post
from homarus.automation.job import Job
from homarus.automation.routes import Routes
from homarus.config.schema import Config
from homarus.errors import UserError
from homarus.ids import Address
from homarus.storage.jobs import JobRun
from homarus.storage.records import OutboundMessage

log = logging.getLogger("homarus.cron")
MAX_ERROR = 200


class Alerts:
    """Makes the message of a failed run, if there is to be one."""

    def __init__(self, config: Callable[[], Config], routes: Routes, post: Post) -> None:
        self._config = config
        self._routes = routes
        self._post = post

    async def compose(self, job: Job, end: JobRun) -> tuple[OutboundMessage, ...]:
        """Return the parts to store with the end of a failed run; none when nobody is to be told now."""
        known = job.row.state.get("consecutiveErrors")
        count = (known if isinstance(known, int) else 0) + 1
        place = self._destination(job) or self._alert(job, count, end.ended_at or 0)
        if place is None:
            return ()
        times = f" {count} times in a row" if count > 1 else ""
        text = f'Job "{job.row.name}" failed{times}: {(end.error or "unknown error")[:MAX_ERROR]}'
        try:
            address = await self._address(job, *place)
        except UserError as error:
            log.warning("nobody can be told that job %s failed: %s", job.id, error.message)
            return ()
        return tuple(self._post.parts(f"cron-alert:{end.id}", address, text))

    async def _address(self, job: Job, channel: str | None, to: str | None, account: str | None) -> Address:
        delivery = job.spec.delivery
        if channel is None and delivery is not None:
            channel, to, account = delivery.channel, to or delivery.to, account or delivery.account_id
        return await self._routes.find(job.row.agent_id, channel, to, account)

    def _destination(self, job: Job) -> tuple[str | None, str | None, str | None] | None:
        delivery = job.spec.delivery
        if job.is_main or (delivery is not None and delivery.best_effort):
            return None
        place = (delivery and delivery.failure_destination) or self._config().cron.failure_destination
        return None if place is None else (place.channel, place.to, place.account_id)

    def _alert(self, job: Job, count: int, now: int) -> tuple[str | None, str | None, str | None] | None:
        wanted, default = job.spec.failure_alert, self._config().cron.failure_alert
        if wanted is False or (wanted is None and not default.enabled):
            return None
        from homarus.protocol.cron import FailureAlert  # noqa: PLC0415 - for those who have jobs

        alert = wanted or FailureAlert()
        told = job.row.state.get("lastFailureAlertAtMs")
        cooldown = default.cooldown_ms if alert.cooldown_ms is None else alert.cooldown_ms
        if count < (alert.after or default.after) or (isinstance(told, int) and now - told < cooldown):
            return None
        return alert.channel, alert.to, alert.account_id or default.account_id
