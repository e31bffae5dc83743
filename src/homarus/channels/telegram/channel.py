"""The Telegram channel: one bot."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path

from homarus.channels.contract import (
    Attachment,
    ConnectionState,
    Ingress,
    OutboundPart,
    ProbeResult,
    Receipt,
    Verdict,
)
from homarus.channels.policy_config import ChannelPolicyConfig, resolve_account
from homarus.channels.sdk.standing import Standing
from homarus.channels.telegram.api import BotApi
from homarus.channels.telegram.bot import Bot
from homarus.channels.telegram.config import TelegramConfig
from homarus.channels.telegram.inbound import Reader
from homarus.channels.telegram.intake import Intake
from homarus.channels.telegram.media import Media
from homarus.channels.telegram.objects import User
from homarus.channels.telegram.outbound import Sender, chat_of, message_of, thread_of
from homarus.channels.telegram.polling import Poller
from homarus.channels.telegram.sent import SentParts
from homarus.channels.telegram.settings import Settings, Webhook, settings_of
from homarus.channels.telegram.typing import TypingSigns
from homarus.channels.telegram.webhook import Receiver
from homarus.clock import Clock
from homarus.errors import ConfigError, HomarusError, Permanent, Transient, first_error
from homarus.ids import Address

log = logging.getLogger(__name__)

config_model = TelegramConfig

LONGEST_TOPIC = 128
"""Characters of a topic's name (editForumTopic)."""
_LARGEST_CERTIFICATE = 64 * 1024


def create(config: ChannelPolicyConfig, account_id: str, clock: Clock) -> TelegramChannel:
    """Return the channel of one account. Raises ConfigError for settings that cannot work."""
    if not isinstance(config, TelegramConfig):
        raise TypeError(f"TelegramConfig expected, not {type(config).__name__}")
    return TelegramChannel(settings_of(resolve_account(config, account_id), account_id), clock)


class TelegramChannel:
    """Receives by long poll, or by webhook when one is configured; the outbox sends on it while it is connected."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        times = settings.timings
        api = BotApi(
            settings.api_root,
            settings.token,
            proxy=settings.proxy,
            connect=times.connect,
            families=settings.families,
        )
        self._bot = Bot(api, times, wants_reactions=settings.wants_reactions)
        self._sender = Sender(self._bot, settings)
        self._media = Media(self._bot, settings)
        self._poller = Poller(self._bot, clock, album_wait=times.album)
        self._sent = SentParts()
        self._typing = TypingSigns(clock)
        self._standing = Standing()
        self._receiver: Receiver | None = None
        self._are_commands_set = False

    @property
    def state(self) -> ConnectionState:
        """Where the connection stands now."""
        return self._standing.state

    async def until_connected(self) -> None:
        """Return once the connection stands."""
        await self._standing.until_connected()

    @property
    def webhook_path(self) -> str | None:
        """Return the path that the gateway serves for this bot, None when it receives by long poll."""
        return None if self._settings.webhook is None else self._settings.webhook.path

    async def run(self, ingress: Ingress) -> None:
        """Log in and receive until cancelled or a request fails. Raises Transient, AuthFailed, ConfigError."""
        self._standing.change(ConnectionState.CONNECTING)
        try:
            me = await self._bot.get_me()
            commands = frozenset(name for name, _ in self._settings.commands)
            reader = Reader(self._settings.account_id, me, commands, self._settings.buttons)
            intake = Intake(ingress, reader, self._media, self._clock, self._bot)
            await self._set_commands()
            if self._settings.webhook is not None:
                await self._serve(self._settings.webhook, intake)
            else:
                await self._poll(intake)
        except ExceptionGroup as group:
            raise first_error(group, HomarusError) from group
        finally:
            self._standing.change(ConnectionState.DISCONNECTED)

    async def handle_webhook(self, headers: Mapping[str, str], body: bytes) -> int:
        """Take a call of Telegram and return the HTTP status to answer with; 503 while the channel does not run."""
        return 503 if self._receiver is None else await self._receiver.handle(headers, body)

    async def send(self, part: OutboundPart) -> Receipt:
        """Send one part of Markdown. Raises Transient, Permanent, AuthFailed; Ambiguous when the answer was lost."""
        return await self._once(part, None)

    async def send_media(self, part: OutboundPart, attachment: Attachment) -> Receipt:
        """Send a file with the part's text as its caption. Raises what `send` does."""
        return await self._once(part, attachment)

    async def fetch_media(self, attachment: Attachment) -> bytes:
        """Return the bytes of a file that came with a message. Raises Permanent, Transient, AuthFailed."""
        return await self._media.fetch(attachment)

    async def edit(self, part: OutboundPart, platform_id: str) -> Receipt:
        """Give a sent message the text of `part`. Raises Permanent when it is gone, Transient, AuthFailed."""
        self._require_connection()
        await self._sender.edit(part, platform_id)
        self._sent.taken(part.id, part.text, platform_id)
        return Receipt(platform_id)

    async def delete(self, address: Address, platform_id: str) -> None:
        """Remove a message. Raises Permanent when Telegram does not allow it, Transient, AuthFailed."""
        self._require_connection()
        await self._bot.delete(chat_of(address), message_of(platform_id))

    async def react(self, address: Address, platform_id: str, emoji: str | None) -> None:
        """Put an emoji on a message, None to take it off. Raises Permanent for one Telegram does not know."""
        self._require_connection()
        await self._bot.react(chat_of(address), message_of(platform_id), emoji)

    async def create_topic(self, address: Address, name: str) -> str:
        """Open a topic in a chat and return its id. Raises Permanent, Transient, AuthFailed, Ambiguous."""
        self._require_connection()
        return await self._bot.create_topic(chat_of(address), name[:LONGEST_TOPIC])

    async def rename_topic(self, address: Address, name: str) -> None:
        """Name the topic of an address. Raises Permanent when Telegram does not allow it, Transient, AuthFailed."""
        self._require_connection()
        thread = thread_of(address)
        if thread is None:
            raise Permanent("the chat itself has no topic to name")
        await self._bot.rename_topic(chat_of(address), thread, name[:LONGEST_TOPIC])

    async def reconcile(self, part: OutboundPart) -> Verdict:
        """Tell from memory whether a part arrived; unknown after a restart, because a bot cannot read its chats."""
        return self._sent.verdict(part.id)

    async def set_typing(self, address: Address, *, is_typing: bool) -> None:
        """Show the typing sign; it goes away by itself after five seconds or with the next message."""
        if not is_typing or self.state is not ConnectionState.CONNECTED or not self._typing.is_due(str(address)):
            return
        try:
            await self._bot.show_typing(chat_of(address), thread_of(address))
        except HomarusError as error:
            log.debug("telegram %s: no typing sign for %s: %s", self._settings.account_id, address, error.message)

    async def probe(self) -> ProbeResult:
        """Ask Telegram who we are."""
        if self.state is not ConnectionState.CONNECTED:
            return ProbeResult(is_ok=False, detail="not connected to Telegram")
        began = self._clock.monotonic()
        try:
            me = await self._bot.get_me()
        except HomarusError as error:
            return ProbeResult(is_ok=False, detail=error.message)
        latency = max(0, round((self._clock.monotonic() - began) * 1000))
        return ProbeResult(is_ok=True, detail=_describe(me, self._settings), latency_ms=latency)

    async def close(self) -> None:
        """Close every connection; a later `run` opens new ones."""
        await self._bot.api.close()

    async def _once(self, part: OutboundPart, attachment: Attachment | None) -> Receipt:
        self._require_connection()
        known = self._sent.receipt(part.id, part.text)
        if known is not None:
            return known
        self._sent.begin(part.id, part.text)
        try:
            sending = self._sender.send(part) if attachment is None else self._sender.send_media(part, attachment)
            platform_id = await sending or None
        except HomarusError:  # not Ambiguous, which leaves the outcome open
            self._sent.refused(part.id, part.text)
            raise
        self._sent.taken(part.id, part.text, platform_id)
        self._typing.stopped(str(part.address))
        return Receipt(platform_id)

    def _require_connection(self) -> None:
        if self.state is not ConnectionState.CONNECTED:
            raise Transient("not connected to Telegram")

    async def _poll(self, intake: Intake) -> None:
        info = await self._bot.webhook_info()
        if info.url:
            log.warning("telegram %s: the bot had a webhook; it is removed for long polling", self._settings.account_id)
            await self._bot.delete_webhook()
        self._standing.change(ConnectionState.CONNECTED)
        await self._poller.run(intake)

    async def _serve(self, webhook: Webhook, intake: Intake) -> None:
        times = self._settings.timings
        receiver = Receiver(webhook.secret, intake, self._clock, album_wait=times.album)
        self._receiver = receiver  # before Telegram is told: the first call may come at once
        try:
            async with self._listening(webhook):
                await self._bot.set_webhook(webhook, await asyncio.to_thread(_certificate, webhook, self._settings))
                self._state = ConnectionState.CONNECTED
                while True:
                    await self._clock.sleep(times.check)
                    await self._check_webhook(webhook)
        finally:
            self._receiver = None
            await receiver.close()

    def _listening(self, webhook: Webhook) -> AbstractAsyncContextManager[None]:
        if webhook.listen is None:
            return nullcontext()
        from homarus.channels.telegram.listener import listening  # noqa: PLC0415 - only for a port of its own

        return listening(webhook.listen, webhook.path, webhook.secret, self.handle_webhook, named=self._settings.path)

    async def _check_webhook(self, webhook: Webhook) -> None:
        info = await self._bot.webhook_info()
        if info.url != webhook.url:
            raise Transient("the webhook was changed by another program with the same bot token")
        if info.last_error_message and info.pending_update_count:
            log.warning(
                "telegram %s: %d updates wait, because Telegram could not deliver: %s",
                self._settings.account_id, info.pending_update_count, info.last_error_message[:200],
            )  # fmt: skip

    async def _set_commands(self) -> None:
        """Fill the command menu once; a menu that cannot be set keeps nobody from writing."""
        if self._are_commands_set or not self._settings.are_commands_listed:
            return
        try:
            await self._bot.set_commands(self._settings.commands)
        except Permanent as error:
            log.warning("telegram %s: the command menu was refused: %s", self._settings.account_id, error.message)
        self._are_commands_set = True


def _certificate(webhook: Webhook, settings: Settings) -> bytes | None:
    if webhook.certificate is None:
        return None
    try:
        with Path(webhook.certificate).expanduser().open("rb") as stream:
            return stream.read(_LARGEST_CERTIFICATE)
    except OSError as error:
        raise ConfigError(
            f"cannot read {webhook.certificate}: {error.strerror}",
            path=f"{settings.path}.webhookCertPath",
            fix="correct the path or the permissions",
        ) from error


def _describe(me: User, settings: Settings) -> str:
    way = "webhook" if settings.webhook is not None else "long poll"
    if me.can_read_all_group_messages is False:
        privacy = "; in groups it sees only commands, mentions and replies to it (privacy mode, changed at @BotFather)"
    else:
        privacy = "; it sees every message in its groups"
    return f"@{me.username} by {way}{privacy}"
