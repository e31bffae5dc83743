"""The methods of the Bot API that are used, one function each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar, cast

from pydantic import ValidationError

from homarus.channels.telegram.answers import Refused
from homarus.channels.telegram.api import BotApi, Upload
from homarus.channels.telegram.objects import File, User, WebhookInfo, Wire
from homarus.channels.telegram.settings import Timings, Webhook
from homarus.errors import Transient

ALLOWED_UPDATES = ("message", "callback_query")
"""The kinds of updates that are asked for: edits and memberships change nothing here."""
REACTIONS = "message_reaction"
"""The kind that is asked for as well when somebody is to be told of reactions."""

_Model = TypeVar("_Model", bound=Wire)

BATCH = 100
"""Updates per getUpdates, the most it gives."""


class Bot:
    """One bot. Every call raises AuthFailed, Refused (Permanent) or Transient; sends raise Ambiguous as well."""

    def __init__(self, api: BotApi, timings: Timings, *, wants_reactions: bool = False) -> None:
        self.api = api
        self._wanted = (*ALLOWED_UPDATES, REACTIONS) if wants_reactions else ALLOWED_UPDATES
        self._times = timings

    async def get_me(self) -> User:
        """Return the bot's own account."""
        return _object(User, await self._call("getMe"))

    async def get_updates(self, offset: int | None) -> list[Mapping[str, object]]:
        """Wait for updates and return them as they came. An `offset` confirms every update before it."""
        return await self._updates(offset, round(self._times.poll))

    async def peek_updates(self, offset: int | None) -> list[Mapping[str, object]]:
        """Return the updates that are there now."""
        return await self._updates(offset, 0)

    async def _updates(self, offset: int | None, hold: int) -> list[Mapping[str, object]]:
        wanted = {"offset": offset, "limit": BATCH, "timeout": hold, "allowed_updates": self._wanted}
        found = await self.api.call("getUpdates", wanted, within=hold + self._times.grace)
        items = cast("list[object]", found) if isinstance(found, list) else []
        return [cast("Mapping[str, object]", item) for item in items if isinstance(item, dict)]

    async def webhook_info(self) -> WebhookInfo:
        """Return how the webhook stands."""
        return _object(WebhookInfo, await self._call("getWebhookInfo"))

    async def set_webhook(self, webhook: Webhook, certificate: bytes | None) -> None:
        """Let Telegram call us. Waiting updates are kept."""
        wanted = {"url": webhook.url, "secret_token": webhook.secret, "allowed_updates": self._wanted}
        kind = "application/x-pem-file"
        upload = None if certificate is None else Upload("certificate", "cert.pem", kind, certificate)
        await self.api.call("setWebhook", wanted, within=self._times.request, upload=upload)

    async def delete_webhook(self) -> None:
        """Stop Telegram calling anybody. Waiting updates are kept."""
        await self._call("deleteWebhook", {"drop_pending_updates": False})

    async def set_commands(self, commands: Sequence[tuple[str, str]]) -> None:
        """Set the command menu."""
        entries = [{"command": name, "description": text} for name, text in commands]
        await self._call("setMyCommands", {"commands": entries})

    async def send(self, method: str, parameters: Mapping[str, object], upload: Upload | None = None) -> str:
        """Call a method that makes a message and return its id."""
        within = self._times.request if upload is None else self._times.upload
        found = await self.api.call(method, parameters, within=within, is_effect=True, upload=upload)
        message = cast("dict[str, object]", found) if isinstance(found, dict) else {}
        return str(message.get("message_id", ""))

    async def edit(self, parameters: Mapping[str, object]) -> None:
        """Change the text of a message; one that has this text already is fine."""
        try:
            await self._call("editMessageText", parameters)
        except Refused as error:
            if "message is not modified" not in error.description:
                raise

    async def delete(self, chat: int | str, message: int) -> None:
        """Delete a message; one that is gone already is fine."""
        try:
            await self._call("deleteMessage", {"chat_id": chat, "message_id": message})
        except Refused as error:
            if "message to delete not found" not in error.description:
                raise

    async def react(self, chat: int | str, message: int, emoji: str | None) -> None:
        """Put one reaction on a message, or none."""
        reaction = [] if emoji is None else [{"type": "emoji", "emoji": emoji}]
        await self._call("setMessageReaction", {"chat_id": chat, "message_id": message, "reaction": reaction})

    async def answer_press(self, press: str) -> None:
        """Tell the app of who pressed a button that the press arrived."""
        await self.api.call("answerCallbackQuery", {"callback_query_id": press}, within=self._times.typing)

    async def show_typing(self, chat: int | str, thread: int | None) -> None:
        """Show the typing sign for five seconds or until the next message."""
        wanted = {"chat_id": chat, "message_thread_id": thread, "action": "typing"}
        await self.api.call("sendChatAction", wanted, within=self._times.typing)

    async def create_topic(self, chat: int | str, name: str) -> str:
        """Open a topic and return its thread id."""
        wanted = {"chat_id": chat, "name": name}
        found = await self.api.call("createForumTopic", wanted, within=self._times.request, is_effect=True)
        topic = cast("dict[str, object]", found) if isinstance(found, dict) else {}
        return str(topic.get("message_thread_id", ""))

    async def rename_topic(self, chat: int | str, thread: int, name: str) -> None:
        """Name a topic; one that has the name already is fine."""
        try:
            await self._call("editForumTopic", {"chat_id": chat, "message_thread_id": thread, "name": name})
        except Refused as error:
            if "topic_not_modified" not in error.description:
                raise

    async def get_file(self, file_id: str) -> File:
        """Return where a file can be downloaded for an hour."""
        return _object(File, await self._call("getFile", {"file_id": file_id}))

    async def _call(self, method: str, parameters: Mapping[str, object] | None = None) -> object:
        return await self.api.call(method, parameters, within=self._times.request)


def _object(model: type[_Model], found: object) -> _Model:
    try:
        return model.model_validate(found)
    except ValidationError as error:
        fields = ", ".join(".".join(str(part) for part in item["loc"]) or "it" for item in error.errors())
        raise Transient(f"the Bot API server gave a {model.__name__} that cannot be read: {fields}") from None
