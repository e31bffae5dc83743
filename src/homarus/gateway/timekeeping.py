"""What acts by itself: the scheduler of jobs and the heartbeats of agents."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from homarus.automation.heartbeat.heart import Heartbeats
from homarus.automation.scheduler import Scheduler
from homarus.automation.service import Jobs
from homarus.clock import Clock
from homarus.config.paths import StateDir
from homarus.config.schema import Config
from homarus.gateway.services import ConfigSource
from homarus.pipeline.contract import Runs
from homarus.storage.database import Database

if TYPE_CHECKING:
    from homarus.gateway.post import HostPost


class Timekeeping(Struct, frozen=True):
    """The parts, made and not yet started."""

    scheduler: Scheduler
    hearts: Heartbeats
    jobs: Jobs

    def wake(self) -> None:
        """Look again at what is due: the configuration has changed."""
        self.scheduler.wake()
        self.hearts.wake()


class Changing(ConfigSource, Protocol):
    """A configuration that tells of its changes."""

    @property
    def on_replaced(self) -> list[Callable[[], None]]:
        """Return who is told."""
        ...


def keep_time(
    state: StateDir,
    database: Database,
    clock: Clock,
    runs: Runs,
    post: HostPost,
    source: Changing,
    zone: Callable[[], tzinfo],
) -> Timekeeping:
    """Build them; `zone` is the owner's."""

    def config() -> Config:
        return source.current.config

    scheduler = Scheduler(database, clock, runs, post, config, zone)
    hearts = Heartbeats(database, clock, runs, post, config, zone, lambda agent: state.workspace(agent, config()))
    timed = Timekeeping(scheduler, hearts, Jobs(database, clock, scheduler, config))
    source.on_replaced.append(timed.wake)
    return timed
