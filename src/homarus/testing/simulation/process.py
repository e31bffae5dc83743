"""One life of the real pipeline with its supervisor, from start to kill, stop or the end of the simulation."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct, field

from homarus.agent.loop import Toolbox, Turn
from homarus.channels.contract import Capabilities, Channel, Ingress
from homarus.channels.policy_config import ChannelPolicyConfig
from homarus.channels.sdk.rate import TokenBucket
from homarus.config.schema import Config
from homarus.errors import StorageError
from homarus.gateway.supervisor import RestartPolicy, Supervisor
from homarus.models.contract import Model
from homarus.pipeline.access import AccessRules
from homarus.pipeline.accounts import Account, Accounts
from homarus.pipeline.delivery import Delivery
from homarus.pipeline.run_store import Begun
from homarus.pipeline.service import Parts, Pipeline
from homarus.testing.simulation.disk import Disk, DiskDatabase
from homarus.testing.simulation.life import Life
from homarus.testing.simulation.model import SimulatedModel
from homarus.testing.simulation.network import Platform, PlatformChannel
from homarus.testing.simulation.people import ACCOUNT, CHANNEL
from homarus.testing.simulation.tools import SimulatedTools

RECONNECT = RestartPolicy(first_pause=1.0, max_pause=30.0)
RUN_SECONDS = 60.0
PART_CHARS = 200
POLICY = ChannelPolicyConfig.model_validate(
    {
        "allowFrom": [f"friend{number}" for number in range(10)],
        "groups": {f"#room{number}": {} for number in range(10)},
        "groupAllowFrom": ["*"],
    }
)


def _same_ingress(ingress: Ingress, _life: Life) -> Ingress:
    return ingress


def _same_channel(channel: Channel) -> Channel:
    return channel


def _same_tools(tools: Toolbox) -> Toolbox:
    return tools


class Wiring(Struct, frozen=True):
    """How the process is put together; changed only to prove that the checker sees what is put together wrong."""

    ingress: Callable[[Ingress, Life], Ingress] = _same_ingress
    channel: Callable[[Channel], Channel] = _same_channel
    tools: Callable[[Toolbox], Toolbox] = _same_tools
    has_recovery: bool = True


class Evidence(Struct):
    """What was seen from outside while the process lived. `payments` counts effects per call."""

    payments: Counter[str] = field(default_factory=Counter[str])
    complaints: list[str] = field(default_factory=list[str])


class _Factory:
    """Gives every run the same model."""

    def __init__(self, model: Model) -> None:
        self._model = model

    async def make(self, begun: Begun) -> Turn:
        info = begun.info
        return Turn(
            run_id=info.run_id,
            agent_id=info.agent_id,
            session_key=info.session_key,
            workspace=Path("/nonexistent"),
            model=self._model,
            system="system",
            tools=(),
            address=info.address,
            is_resumed=begun.starts > 1,
        )

    def timeout(self, begun: Begun) -> float:  # noqa: ARG002 - the same for all
        return RUN_SECONDS

    async def status(self, begun: Begun) -> str:
        return f"simulated {begun.info.session_key}"


class Process:
    """The pipeline of one life, on what outlives it."""

    def __init__(
        self, life: Life, disk: Disk, platform: Platform, evidence: Evidence, config: Config, how: Wiring
    ) -> None:
        self._life = life
        self._how = how
        self._config = config
        self._evidence = evidence
        database = DiskDatabase(disk, life)
        self._channel = how.channel(PlatformChannel(platform, life))
        pace = TokenBucket(life.clock, burst=5, interval=0.2)
        self._delivery = Delivery(database, life.clock, self._channel, (CHANNEL, ACCOUNT), pace, files=disk.files)
        self._supervisor = Supervisor(life.clock)
        can = Capabilities(max_text=PART_CHARS, has_media=True, can_edit=platform.can_edit)
        account = Account(CHANNEL, ACCOUNT, AccessRules(POLICY), can, is_streaming=platform.can_edit)
        self.pipeline = Pipeline(
            Parts(
                database=database,
                clock=life.clock,
                accounts=Accounts((account,)),
                config=lambda: config,
                factory=_Factory(SimulatedModel(life, evidence.complaints)),
                toolbox=how.tools(SimulatedTools(life, evidence.payments, disk.files)),
                stamp=str,
                on_parts=lambda _channel, _account: self._delivery.wake(),
                on_preview=self._delivery.show,
            )
        )

    async def start(self) -> bool:
        """Recover and connect; False when the database did not let it."""
        try:
            if self._how.has_recovery:
                await self.pipeline.recover()
        except StorageError:
            return False
        ingress = self._how.ingress(self.pipeline, self._life)
        self._supervisor.start("channel", lambda: self._channel.run(ingress), RECONNECT)
        self._supervisor.start("delivery", self._delivery.run, RECONNECT)
        return True

    async def stop(self) -> None:
        """Stop in an orderly way."""
        await self.pipeline.stop()
        await self._supervisor.stop()

    def look(self) -> None:
        """Complain about queues that outgrow what may be in them and about tasks that gave up."""
        limit = self._config.agents.defaults.max_concurrent
        running = [info for info in self.pipeline.active() if info.session_id]
        if len(running) > limit:
            self._evidence.complaints.append(f"{len(running)} runs go on, {limit} may")
        for entry in self._supervisor.tasks():
            if entry.state in ("given up", "ended"):
                self._evidence.complaints.append(f"the task {entry.name} is {entry.state}: {entry.error}")

    def leaks(self) -> list[str]:
        """Return the tasks that go on although nothing is left to do."""
        mine = {asyncio.current_task(), *(entry.task for entry in self._supervisor.tasks())}
        own = {"channel", "delivery"}
        found = [task for task in asyncio.all_tasks() if task not in mine and not task.done()]
        # The delivery's own waiting for a wake-up or a retry is a task each.
        names = [task.get_name() for task in found if task.get_name() not in own]
        return [name for name in names if name.startswith(("lane", "run"))] + (names if len(names) > 4 else [])
