"""Removing what was kept long enough, a few times a day and when somebody asks. Loaded by the first of them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from homarus.sessions.keys import parse_key
from homarus.sessions.maintenance import Maintenance, Rules, Swept, read_rules

if TYPE_CHECKING:
    from homarus.gateway.core import GatewayCore

log = logging.getLogger("homarus.upkeep")
EVERY: Final = 6 * 3600.0
"""Seconds between two looks."""


async def keep_up(core: GatewayCore) -> None:
    """Look again and again until cancelled. Raises StorageError."""
    while True:
        await sweep(core)
        await core.services.clock.sleep(EVERY)


async def sweep(core: GatewayCore, agent: str | None = None, *, is_enforced: bool | None = None) -> Swept:
    """Remove what is due by the configuration in force, and tell clients. Raises StorageError."""
    services = core.services
    rules = read_rules(services.config.current.config, is_enforced=is_enforced)
    swept = await Maintenance(services.database, services.clock).sweep(rules, agent)
    for key in swept.deleted:
        if services.prompts is not None:
            await services.prompts.forget(key)
        core.session_feed.changed(parse_key(key), "delete", is_gone=True)
    for key in swept.put_away:
        core.session_feed.changed(parse_key(key), "patch")
    _log(swept, rules)
    return swept


async def preview(core: GatewayCore, agent: str | None = None) -> Swept:
    """Return what an enforced sweep would do; changes nothing. Raises StorageError."""
    services = core.services
    rules = read_rules(services.config.current.config, is_enforced=True)
    return await Maintenance(services.database, services.clock).preview(rules, agent)


def _log(swept: Swept, rules: Rules) -> None:
    done = (swept.journal_rows, swept.transcripts, len(swept.put_away), len(swept.deleted))
    if any(done):
        log.info("removed %d journal rows and %d old transcripts; put away %d sessions, deleted %d", *done)
    if swept.bytes_over and not rules.is_enforced:
        log.warning(
            "transcripts are %d bytes over session.maintenance.maxDiskBytes; "
            "see `homarus sessions cleanup --dry-run`, or set session.maintenance.mode to enforce",
            swept.bytes_over,
        )
