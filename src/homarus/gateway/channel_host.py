"""Runs the configured channel accounts: a supervised receiver and a supervised sender each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from homarus.channels import registry
from homarus.channels.contract import Acceptance, Channel, ConnectionState, Inbound, Ingress
from homarus.channels.policy_config import ChannelPolicyConfig, ChunkMode, account_ids, resolve_account
from homarus.channels.sdk.rate import TokenBucket
from homarus.clock import Clock
from homarus.config.schema import Config
from homarus.errors import HomarusError, StorageError
from homarus.gateway.services import ChannelAccount, ProbeOutcome
from homarus.gateway.supervisor import RestartPolicy, Supervisor
from homarus.ids import Address
from homarus.pipeline.access import AccessRules
from homarus.pipeline.accounts import WEBCHAT, Account, Accounts, compile_patterns
from homarus.pipeline.delivery import Delivery
from homarus.storage.database import Database

log = logging.getLogger("homarus.channels")
TYPING_INTERVAL = 4.0  # seconds; platforms let the sign go out after 5 or 6
MAX_TYPING_SIGNS = 150
RECONNECT = RestartPolicy(first_pause=2.0, max_pause=300.0)


@dataclass(slots=True)
class Hosted:
    """One account of one channel while the gateway runs."""

    account: Account
    name: str
    channel: Channel
    delivery: Delivery
    last_inbound_at: int | None = None


class ChannelHost:
    """Implements homarus.gateway.services.ChannelDirectory."""

    def __init__(self, database: Database, clock: Clock, supervisor: Supervisor, accounts: Accounts) -> None:
        self._database = database
        self._clock = clock
        self._supervisor = supervisor
        self._accounts = accounts
        self._hosted: dict[tuple[str, str], Hosted] = {}
        self._typing: dict[Address, asyncio.Task[None]] = {}

    def open(self, config: Config, sections: Mapping[str, ChannelPolicyConfig]) -> None:
        """Create every configured account. `sections` are the validated channel sections."""
        found = [item for channel, section in sections.items() for item in self._create(channel, section, config)]
        self._hosted = {(item.account.channel, item.account.account): item for item in found}
        self._accounts.replace(tuple(item.account for item in found))

    def start(self, ingress: Ingress) -> None:
        """Connect every account; each fails and reconnects alone."""
        for (channel, account), hosted in self._hosted.items():
            if channel == WEBCHAT:
                continue
            intake = _Intake(ingress, hosted, self._clock)
            self._supervisor.start(f"{channel}/{account}", _receiver(hosted.channel, intake), RECONNECT)
            self._supervisor.start(f"{channel}/{account} delivery", hosted.delivery.run)

    def wake(self, channel: str, account: str) -> None:
        """Tell the sender of an account that parts were stored."""
        hosted = self._hosted.get((channel, account))
        if hosted is not None:
            hosted.delivery.wake()

    def show_working(self, address: Address, is_working: bool) -> None:  # noqa: FBT001 - a callback of the pipeline
        """Keep the typing sign of a chat on while a run works for it."""
        hosted = self._hosted.get((address.channel, address.account))
        if hosted is None or not hosted.account.capabilities.can_type:
            return
        if is_working and address not in self._typing:
            task = asyncio.get_running_loop().create_task(self._type(hosted.channel, address), name=f"typing {address}")
            self._typing[address] = task
        elif not is_working and (shown := self._typing.pop(address, None)) is not None:
            shown.cancel()

    async def _type(self, channel: Channel, address: Address) -> None:
        try:
            for _ in range(MAX_TYPING_SIGNS):
                with suppress(HomarusError, TimeoutError):
                    async with asyncio.timeout(TYPING_INTERVAL):
                        await channel.set_typing(address, is_typing=True)
                await self._clock.sleep(TYPING_INTERVAL)
        finally:
            with suppress(HomarusError, TimeoutError):
                async with asyncio.timeout(TYPING_INTERVAL):
                    await channel.set_typing(address, is_typing=False)

    async def close(self) -> None:
        """Release every channel; their tasks have ended."""
        signs = [*self._typing.values()]
        for task in signs:
            task.cancel()
        await asyncio.gather(*signs, return_exceptions=True)
        for hosted in self._hosted.values():
            await hosted.channel.close()

    def accounts(self) -> tuple[ChannelAccount, ...]:
        """Return every account and how it stands."""
        states = {entry.name: entry for entry in self._supervisor.tasks()}
        return tuple(self._describe(hosted, states.get(f"{key[0]}/{key[1]}")) for key, hosted in self._hosted.items())

    async def probe(self, channel: str, account: str) -> ProbeOutcome:
        """Make a round trip to the platform."""
        hosted = self._hosted.get((channel, account))
        if hosted is None:
            return ProbeOutcome(is_ok=False, detail="not configured")
        result = await hosted.channel.probe()
        return ProbeOutcome(result.is_ok, result.detail, result.latency_ms)

    def _describe(self, hosted: Hosted, task: object) -> ChannelAccount:
        error = getattr(task, "error", None)
        is_connected = hosted.channel.state is ConnectionState.CONNECTED
        is_web = hosted.account.channel == WEBCHAT
        return ChannelAccount(
            channel=hosted.account.channel,
            name=hosted.name,
            account=hosted.account.account,
            is_running=is_web or getattr(task, "state", "") in {"running", "waiting"},
            is_connected=is_connected,
            last_error=None if is_connected else error,
            last_inbound_at=hosted.last_inbound_at,
            last_outbound_at=hosted.delivery.last_sent_at,
        )

    def _create(self, channel: str, section: ChannelPolicyConfig, config: Config) -> Iterable[Hosted]:
        module = registry.load(channel)
        for account_id in account_ids(section):
            settings = resolve_account(section, account_id)
            account = Account(
                channel=channel,
                account=account_id,
                rules=AccessRules(settings, compile_patterns(config.messages.group_chat.mention_patterns)),
                capabilities=module.manifest.capabilities,
                prefix=settings.response_prefix or config.messages.response_prefix or "",
                chunk_limit=settings.text_chunk_limit,
                is_by_paragraph=settings.chunk_mode is ChunkMode.NEWLINE,
            )
            instance = module.create(section, account_id, self._clock)
            can = account.capabilities
            pace = TokenBucket(self._clock, burst=can.burst, interval=can.interval)
            delivery = Delivery(self._database, self._clock, instance, (channel, account_id), pace)
            yield Hosted(account, module.manifest.name, instance, delivery)


class _Intake:
    """The ingress a channel sees: it waits for a database that cannot commit, so that nothing read is lost."""

    def __init__(self, ingress: Ingress, hosted: Hosted, clock: Clock) -> None:
        self._ingress = ingress
        self._hosted = hosted
        self._clock = clock

    async def accept(self, message: Inbound) -> Acceptance:
        """Commit a message, trying again while the database cannot take it."""
        pause = 0.2
        while True:
            try:
                accepted = await self._ingress.accept(message)
            except StorageError as error:
                log.warning("a message on %s waits for the database: %s", message.address, error.message)
                await self._clock.sleep(pause)
                pause = min(pause * 2, 10.0)
            else:
                self._hosted.last_inbound_at = self._clock.now_ms()
                return accepted


def _receiver(channel: Channel, ingress: Ingress):  # noqa: ANN202 - a closure for the supervisor
    async def receive() -> None:
        await channel.run(ingress)

    return receive
