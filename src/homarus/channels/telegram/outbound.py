"""From a part to the call that sends it, and what to do when Telegram refuses it for a reason that can be mended."""

from __future__ import annotations

import logging
import re

from msgspec import Struct
from msgspec.structs import replace

from homarus.channels.contract import Attachment, ChatKind, OutboundPart
from homarus.channels.telegram.answers import Refused
from homarus.channels.telegram.api import Upload
from homarus.channels.telegram.bot import Bot
from homarus.channels.telegram.markup import CAPTION_LIMIT, TEXT_LIMIT, Rendered, render
from homarus.channels.telegram.settings import Settings
from homarus.errors import Permanent
from homarus.ids import Address
from homarus.manner import Button, Poll

log = logging.getLogger(__name__)

PHOTO_LIMIT = 10 * 1024 * 1024
"""Bytes of a picture sent as a photo."""

UPLOAD_LIMIT = 50 * 1024 * 1024
"""Bytes of a file sent as a document."""

LONGEST_QUESTION = 300
"""Characters of the question of a poll."""

GENERAL_TOPIC = 1
"""The thread id of a forum's first topic, which sending must leave out."""

_FIELDS = {
    **dict.fromkeys(("image/jpeg", "image/png", "image/webp"), "photo"),
    "image/gif": "animation",
    "video/mp4": "video",
    "audio/ogg": "voice",
    **dict.fromkeys(("audio/mpeg", "audio/mp4", "audio/x-m4a"), "audio"),
}
"""Types that Telegram shows or plays, by the method that sends them; the others go as documents."""
_MEDIA_REFUSALS = (
    "photo_invalid",
    "image_process_failed",
    "photo_save_file_invalid",
    "photo_ext",
    "voice_messages_forbidden",
    "wrong file",
    "wrong type",
    "video_file_invalid",
    "media_invalid",
)
_MENDS = 3  # markup, topic, moved chat: each can be wrong once


class Call(Struct, frozen=True):
    """One sending call. `body` is the text or caption; `content` takes its place in a poll or sticker."""

    method: str
    chat: int | str
    body: Rendered
    thread: int | None = None
    reply_to: int | None = None
    message: int | None = None
    is_plain: bool = False
    has_link_preview: bool = False
    is_quiet: bool = False
    buttons: tuple[tuple[Button, ...], ...] = ()
    content: dict[str, object] | None = None
    upload: Upload | None = None

    def parameters(self) -> dict[str, object]:
        """Return what the method is called with; None for what is left out."""
        reply = {"message_id": self.reply_to, "allow_sending_without_reply": True}
        return {
            "chat_id": self.chat,
            "message_id": self.message,
            "message_thread_id": None if self.thread == GENERAL_TOPIC else self.thread,
            "reply_parameters": reply if self.reply_to is not None else None,
            "reply_markup": _keyboard(self.buttons) if self.buttons else None,
            "disable_notification": True if self.is_quiet and self.message is None else None,
            **(self._words() if self.content is None else self.content),
        }

    def _words(self) -> dict[str, object]:
        name = "text" if self.upload is None else "caption"
        return {
            name: (self.body.visible if self.is_plain else self.body.html) or None,
            "parse_mode": None if self.is_plain or not self.body.html else "HTML",
            "link_preview_options": {"is_disabled": not self.has_link_preview} if self.upload is None else None,
        }


class Sender:
    """Sends parts of one bot."""

    def __init__(self, bot: Bot, settings: Settings) -> None:
        self._bot = bot
        self._settings = settings

    async def send(self, part: OutboundPart) -> str:
        """Send a part and return the message id. Raises Permanent, Transient, AuthFailed, Ambiguous."""
        if part.manner.sticker:
            call = replace(self._text_call(part, "sendSticker"), content={"sticker": part.manner.sticker})
        elif part.manner.poll is not None:
            call = replace(self._text_call(part, "sendPoll"), content=_poll(part.text, part.manner.poll))
        else:
            call = self._text_call(part, "sendMessage")
        return await self._mended(call)

    async def edit(self, part: OutboundPart, message_id: str) -> None:
        """Give a message the text of a part. Raises Permanent, Transient, AuthFailed."""
        call = self._text_call(replace(part, reply_to=None), "editMessageText")
        await self._mended(replace(call, message=message_of(message_id), thread=None))

    async def send_media(self, part: OutboundPart, item: Attachment) -> str:
        """Send a file with the part's text as its caption; what Telegram cannot show or play goes as a document."""
        call = self._media_call(part, item)
        try:
            return await self._mended(call)
        except Refused as error:
            if call.method == "sendDocument" or error.code != 400 or not _is_kind_refused(error):
                raise
            return await self._mended(self._media_call(part, replace(item, mime="application/octet-stream")))

    async def _mended(self, call: Call) -> str:
        """Make a call, again without what Telegram refused about it."""
        for _ in range(_MENDS):
            try:
                return await self._made(call)
            except Refused as error:
                again = mended(call, error)
                if again is None:
                    raise
                log.info("telegram %s: %s; sent differently", self._settings.account_id, error.message)
                call = again
        return await self._made(call)

    async def _made(self, call: Call) -> str:
        if call.message is not None:
            await self._bot.edit(call.parameters())
            return str(call.message)
        return await self._bot.send(call.method, call.parameters(), call.upload)

    def _text_call(self, part: OutboundPart, method: str) -> Call:
        body = _rendered(part.text, TEXT_LIMIT, self._settings)
        if not body.visible.strip():
            raise Permanent("the part has no text that Telegram could show")
        return Call(
            method=method,
            chat=chat_of(part.address),
            thread=thread_of(part.address),
            body=body,
            reply_to=message_of(part.reply_to) if part.reply_to is not None else None,
            has_link_preview=self._settings.has_link_previews,
            is_quiet=part.manner.is_quiet,
            buttons=self._buttons(part),
        )

    def _buttons(self, part: OutboundPart) -> tuple[tuple[Button, ...], ...]:
        kind = ChatKind.GROUP if part.address.chat.startswith(("-", "@")) else ChatKind.DIRECT
        if part.manner.buttons and kind not in self._settings.buttons:
            raise Permanent(
                "buttons are off in this kind of chat",
                fix=f"set {self._settings.path}.capabilities.inlineButtons to all",
            )
        return part.manner.buttons

    def _media_call(self, part: OutboundPart, item: Attachment) -> Call:
        if item.data is None:
            raise Permanent(f"the file {item.name!r} has no data to send")
        if len(item.data) > UPLOAD_LIMIT:
            raise Permanent(f"the file {item.name!r} has {len(item.data)} bytes; Telegram takes {UPLOAD_LIMIT}")
        field = _FIELDS.get(item.mime.partition(";")[0], "document")
        if field == "photo" and len(item.data) > PHOTO_LIMIT:
            field = "document"
        return Call(
            method=f"send{field.capitalize()}",
            chat=chat_of(part.address),
            thread=thread_of(part.address),
            body=_rendered(part.text, CAPTION_LIMIT, self._settings),
            reply_to=message_of(part.reply_to) if part.reply_to is not None else None,
            upload=Upload(field, _file_name(item.name) or field, item.mime or "application/octet-stream", item.data),
            is_quiet=part.manner.is_quiet,
            buttons=self._buttons(part),
        )


def mended(call: Call, error: Refused) -> Call | None:
    """Return the call without what was refused about it, None when nothing can be done."""
    said = error.description
    if error.migrate_to is not None and call.chat != error.migrate_to:
        return replace(call, chat=error.migrate_to)
    if "can't parse entities" in said and not call.is_plain:
        return replace(call, is_plain=True)
    if "message thread not found" in said and call.thread is not None:
        return replace(call, thread=None)
    return None


def chat_of(address: Address) -> int | str:
    """Return the chat id of an address: a number or @name. Raises Permanent."""
    if re.fullmatch(r"-?\d{1,16}", address.chat):
        return int(address.chat)
    if re.fullmatch(r"@[A-Za-z0-9_]{3,40}", address.chat):
        return address.chat
    raise Permanent(f"{address.chat[:80]!r} is no Telegram chat id: it is a number, or @name of a public group")


def thread_of(address: Address) -> int | None:
    """Return the topic of an address. Raises Permanent."""
    if address.thread is None:
        return None
    if not re.fullmatch(r"\d{1,16}", address.thread):
        raise Permanent(f"{address.thread[:80]!r} is no Telegram topic id: it is a number")
    return int(address.thread)


def message_of(name: str) -> int:
    """Return the message id in `message_id` or `chat:message_id`. Raises Permanent."""
    number = name.rpartition(":")[2]
    if not re.fullmatch(r"\d{1,16}", number):
        raise Permanent(f"{name[:80]!r} is no Telegram message id")
    return int(number)


def _poll(question: str, poll: Poll) -> dict[str, object]:
    return {
        "question": question[:LONGEST_QUESTION],
        "options": [{"text": option} for option in poll.options],
        "is_anonymous": poll.is_anonymous,
        "allows_multiple_answers": poll.most > 1,
        "open_period": poll.seconds,
    }


def _keyboard(rows: tuple[tuple[Button, ...], ...]) -> dict[str, object]:
    shown = [
        [{"text": each.text, **({"url": each.url} if each.url else {"callback_data": each.data})} for each in row]
        for row in rows
    ]
    return {"inline_keyboard": shown}


def _rendered(text: str, limit: int, settings: Settings) -> Rendered:
    body = render(text, settings.tables)
    if body.size > limit:
        raise Permanent(f"the text has {body.size} UTF-16 units; Telegram takes {limit}")
    return body


def _is_kind_refused(error: Refused) -> bool:
    return any(mark in error.description for mark in _MEDIA_REFUSALS)


def _file_name(name: str) -> str:
    return re.sub(r'[\x00-\x1f"\\/]', "_", name)[-120:]
