"""What acts by itself: the scheduler of jobs and the heartbeats of agents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING

from homarus.automation.heartbeat.heart import Heartbeats
from homarus.automation.scheduler import Scheduler
from homarus.automation.service import Jobs
from homarus.clock import Clock
from homarus.config.paths import StateDir
from homarus.config.schema import Config
from homarus.pipeline.contract import Runs
from homarus.storage.database import Database

if TYPE_CHECKING:
    from homarus.gateway.post import HostPost


@dataclass(frozen=True, slots=True)
class Timekeeping:
    """The parts, made and not yet started."""

    scheduler: Scheduler
    hearts: Heartbeats
    jobs: Jobs

    def wake(self) -> None:
        """Look again at what is due: the configuration has changed."""
        self.scheduler.wake()
        self.hearts.wake()


def keep_time(
    state: StateDir,
    database: Database,
    clock: Clock,
    runs: Runs,
    post: HostPost,
    config: Callable[[], Config],
    zone: Callable[[], tzinfo],
) -> Timekeeping:
    """Build them; `zone` is the owner's."""
    scheduler = Scheduler(database, clock, runs, post, config, zone)
    hearts = Heartbeats(database, clock, runs, post, config, zone, lambda agent: state.workspace(agent, config()))
    return Timekeeping(scheduler, hearts, Jobs(database, clock, scheduler, config))
