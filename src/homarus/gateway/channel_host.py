"""Runs the configured channel accounts: a supervised receiver and a supervised sender each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import cast

from msgspec import Struct

from homarus.channels import registry
from homarus.channels.contract import (
    Acceptance,
    Attachment,
    Capabilities,
    Channel,
    ConnectionState,
    Inbound,
    Ingress,
    MediaChannel,
    WebhookChannel,
)
from homarus.channels.policy_config import ChannelPolicyConfig, ChunkMode, account_ids, resolve_account
from homarus.channels.sdk.rate import TokenBucket
from homarus.clock import Clock
from homarus.config.schema import Config
from homarus.errors import HomarusError, Permanent, StorageError
from homarus.gateway.acknowledgements import Acknowledgements, Acknowledging
from homarus.gateway.services import ChannelAccount, ProbeOutcome
from homarus.gateway.supervisor import RestartPolicy, Supervisor
from homarus.ids import Address
from homarus.log_context import logging_as
from homarus.meter import Meter
from homarus.pipeline.access import AccessRules
from homarus.pipeline.accounts import WEBCHAT, Account, Accounts, ReplyMode
from homarus.pipeline.attachments import KeptFiles
from homarus.pipeline.contract import RunInfo
from homarus.pipeline.delivery import Delivery
from homarus.pipeline.mentions import mention_patterns
from homarus.storage.database import Database
from homarus.storage.records import InboundMessage

log = logging.getLogger("homarus.channels")
TYPING_INTERVAL = 4.0  # seconds; platforms let the sign go out after 5 or 6
MAX_TYPING_SIGNS = 150
RECONNECT = RestartPolicy(first_pause=2.0, max_pause=60.0)
"""When a platform or the line is back, its people wait a minute at most."""


class Hosted(Struct):
    """One account of one channel while the gateway runs."""

    account: Account
    name: str
    channel: Channel
    delivery: Delivery
    settings: ChannelPolicyConfig
    acknowledging: Acknowledging | None = None
    last_inbound_at: int | None = None

    @property
    def capabilities(self) -> Capabilities:
        """Return what its channel can do."""
        return self.account.capabilities


class ChannelHost:
    """Implements homarus.gateway.services.ChannelDirectory."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        supervisor: Supervisor,
        accounts: Accounts,
        meter: Meter | None = None,
        files: KeptFiles | None = None,
    ) -> None:
        self._database = database
        self._files = files
        self._meter = meter or Meter()
        self._ingress: Ingress | None = None
        self._clock = clock
        self._supervisor = supervisor
        self._accounts = accounts
        self._hosted: dict[tuple[str, str], Hosted] = {}
        self._typing: dict[Address, asyncio.Task[None]] = {}
        self._acknowledgements = Acknowledgements()

    def open(self, config: Config, sections: Mapping[str, ChannelPolicyConfig]) -> None:
        """Create every configured account. `sections` are the validated channel sections."""
        self._hosted = {key: self._create(*key, section, config) for key, section in _keys(sections)}
        self._accounts.replace(tuple(item.account for item in self._hosted.values()))

    def start(self, ingress: Ingress) -> None:
        """Connect every account; each fails and reconnects alone."""
        self._ingress = ingress
        for hosted in self._hosted.values():
            self._connect(hosted, ingress)

    async def apply(self, config: Config, sections: Mapping[str, ChannelPolicyConfig]) -> tuple[str, ...]:
        """Take over changed sections: only changed accounts are stopped or started, and returned by name.

        Raises ConfigError before anything has changed.
        """
        before = self._hosted
        wanted = {key: self._renew(key, section, config) for key, section in _keys(sections)}
        for key, hosted in wanted.items():
            if hosted is before.get(key):
                hosted.account = self._account(key, hosted.settings, config)
                hosted.acknowledging = _acknowledging(hosted, config)
        gone = {key: hosted for key, hosted in before.items() if wanted.get(key) is not hosted}
        for key, hosted in gone.items():
            await self._disconnect(key, hosted)
        self._hosted = wanted
        self._accounts.replace(tuple(item.account for item in wanted.values()))
        fresh = {key: hosted for key, hosted in wanted.items() if before.get(key) is not hosted}
        for hosted in fresh.values():
            if self._ingress is not None:
                self._connect(hosted, self._ingress)
        return tuple(dict.fromkeys(f"{channel}/{account}" for channel, account in (*gone, *fresh)))

    async def finish_sending(self, seconds: float) -> None:
        """Let replies leave for `seconds`, and the part on its way for as long again; the rest is journalled."""
        deliveries = [hosted.delivery for key, hosted in self._hosted.items() if key[0] != WEBCHAT]
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(delivery.rest() for delivery in deliveries))
        for delivery in deliveries:
            delivery.close()
        names = {f"{channel}/{account} delivery" for channel, account in self._hosted}
        tasks = [entry.task for entry in self._supervisor.tasks() if entry.name in names and entry.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

    def _connect(self, hosted: Hosted, ingress: Ingress) -> None:
        channel, account = hosted.account.channel, hosted.account.account
        if channel == WEBCHAT:
            return
        intake = _Intake(ingress, hosted, self._clock)
        with logging_as(channel=channel, account=account):
            self._supervisor.start(f"{channel}/{account}", _receiver(hosted.channel, intake), RECONNECT)
            self._supervisor.start(f"{channel}/{account} delivery", hosted.delivery.run)

    async def _disconnect(self, key: tuple[str, str], hosted: Hosted) -> None:
        name = f"{key[0]}/{key[1]}"
        hosted.delivery.close()
        await self._supervisor.stop(name)
        await self._supervisor.stop(f"{name} delivery")
        await hosted.channel.close()

    def news(self, channel: str, account: str) -> asyncio.Event | None:
        """Return the event that is set when the state of a part of an account was stored next."""
        hosted = self._hosted.get((channel, account))
        return None if hosted is None else hosted.delivery.news

    def wake(self, channel: str, account: str) -> None:
        """Tell the sender of an account that parts were stored."""
        hosted = self._hosted.get((channel, account))
        if hosted is not None:
            hosted.delivery.wake()

    async def fetch(self, address: Address, attachment: Attachment) -> bytes:
        """Return the bytes of a file that came with a message. Raises Permanent, Transient, AuthFailed."""
        hosted = self._hosted.get((address.channel, address.account))
        if hosted is None or not hasattr(hosted.channel, "fetch_media"):
            raise Permanent(f"{address.channel} gives no files")
        return await cast("MediaChannel", hosted.channel).fetch_media(attachment)

    def show_preview(self, run: RunInfo, text: str | None) -> None:
        """Show what a run has said so far in its chat; None when it has ended."""
        address = run.address
        hosted = self._hosted.get((address.channel, address.account)) if address is not None else None
        if hosted is not None:
            hosted.delivery.show(run, text)

    def acknowledge(self, message: InboundMessage) -> None:
        """React to a message that will be answered, where the configuration wants it."""
        hosted = self._hosted.get((message.address.channel, message.address.account))
        how = hosted.acknowledging if hosted is not None else None
        if hosted is not None and how is not None and how.covers(message, hosted.account):
            self._acknowledgements.show(hosted.channel, message, how)

    def find(self, address: Address) -> Hosted | None:
        """Return the account an address belongs to, None when it is not configured or only a transcript."""
        found = self._hosted.get((address.channel, address.account))
        return None if address.channel == WEBCHAT else found

    def webhook(self, path: str) -> WebhookChannel | None:
        """Return the channel whose platform calls this path."""
        for hosted in self._hosted.values():
            channel = cast("WebhookChannel", hosted.channel)
            if getattr(channel, "webhook_path", None) == path:
                return channel
        return None

    async def accept(self, message: Inbound) -> Acceptance | None:
        """Take a message as if its channel had heard it; None when the channel has no such account."""
        hosted = self._hosted.get((message.address.channel, message.address.account))
        if hosted is None or self._ingress is None or message.address.channel == WEBCHAT:
            return None
        accepted = await self._ingress.accept(message)
        hosted.last_inbound_at = self._clock.now_ms()
        return accepted

    def show_working(self, address: Address, is_working: bool) -> None:  # noqa: FBT001 - a callback of the pipeline
        """Keep the typing sign of a chat on while a run works for it."""
        hosted = self._hosted.get((address.channel, address.account))
        if hosted is None:
            return
        if not is_working:
            self._acknowledgements.remove(hosted.channel, address)
        if not hosted.account.capabilities.can_type:
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
        await self._acknowledgements.close()
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
            is_running=is_web or getattr(task, "state", "") in {"running", "waiting", "resting"},
            is_connected=is_connected,
            last_error=None if is_connected else error,
            last_inbound_at=hosted.last_inbound_at,
            last_outbound_at=hosted.delivery.last_sent_at,
        )

    def _renew(self, key: tuple[str, str], section: ChannelPolicyConfig, config: Config) -> Hosted:
        """Return the account that runs when its settings are the same, else a new one."""
        known = self._hosted.get(key)
        is_same = known is not None and known.settings == resolve_account(section, key[1])
        return known if known is not None and is_same else self._create(*key, section, config)

    def _create(self, channel: str, account_id: str, section: ChannelPolicyConfig, config: Config) -> Hosted:
        module = registry.load(channel)
        settings = resolve_account(section, account_id)
        account = self._account((channel, account_id), settings, config)
        instance = module.create(section, account_id, self._clock)
        can = account.capabilities
        pace = TokenBucket(self._clock, burst=can.burst, interval=can.interval)
        delivery = Delivery(
            self._database, self._clock, instance, (channel, account_id), pace, self._meter, self._files
        )
        hosted = Hosted(account, module.manifest.name, instance, delivery, settings)
        hosted.acknowledging = _acknowledging(hosted, config)
        return hosted

    @staticmethod
    def _account(key: tuple[str, str], settings: ChannelPolicyConfig, config: Config) -> Account:
        capabilities = registry.load(key[0]).manifest.capabilities
        return Account(
            channel=key[0],
            account=key[1],
            rules=AccessRules(settings, mention_patterns(config)),
            capabilities=capabilities,
            prefix=settings.response_prefix or config.messages.response_prefix or "",
            chunk_limit=settings.text_chunk_limit,
            is_by_paragraph=settings.chunk_mode is ChunkMode.NEWLINE,
            is_streaming=capabilities.can_edit and _streams(settings),
            history_limit=config.messages.group_chat.history_limit
            if settings.history_limit is None
            else settings.history_limit,
            reply_mode=cast("ReplyMode", str(getattr(settings, "reply_to_mode", "first"))),
        )


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


def _keys(sections: Mapping[str, ChannelPolicyConfig]) -> list[tuple[tuple[str, str], ChannelPolicyConfig]]:
    """Return every account with the section it stands in."""
    return [((name, account), section) for name, section in sections.items() for account in account_ids(section)]


def _acknowledging(hosted: Hosted, config: Config) -> Acknowledging | None:
    """Return how an account reacts to messages; None when no emoji is set or the channel has no reactions."""
    own = getattr(hosted.settings, "ack_reaction", None)
    emoji = config.messages.ack_reaction if own is None else str(own)
    if not emoji or not hosted.capabilities.can_react:
        return None
    return Acknowledging(emoji, config.messages.ack_reaction_scope, config.messages.remove_ack_after_reply)


def _streams(settings: ChannelPolicyConfig) -> bool:
    """Tell whether replies are shown while they grow: as the channel's `streaming` says, unset means they are."""
    return getattr(settings, "streaming", None) not in {"off", False}
