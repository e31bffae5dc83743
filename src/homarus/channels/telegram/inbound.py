"""From the messages of the Bot API to the facts the core needs."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from homarus.channels.contract import Attachment, ChatKind, Inbound, Sender
from homarus.channels.telegram.contents import describe, files_of, written
from homarus.channels.telegram.mentions import Addressed, read_mentions
from homarus.channels.telegram.objects import Entity, Message, Origin, PressedMessage, ReactionMessage, User
from homarus.channels.telegram.presses import external_id_of
from homarus.ids import Address

CHANNEL_ID = "telegram"

_KINDS = {"private": ChatKind.DIRECT, "group": ChatKind.GROUP, "supergroup": ChatKind.GROUP}
_LONGEST_QUOTE = 4096
_MOST_FILES = 10  # pictures of an album, at most


class Reader(Struct, frozen=True):
    """Reads messages for one bot. `commands` are the names in its menu, `buttons` the chats where presses count."""

    account_id: str
    me: User
    commands: frozenset[str]
    buttons: frozenset[ChatKind] = frozenset()

    def read(self, messages: Sequence[Message]) -> Inbound | None:
        """Return one message, or an album as one; None when there is nothing to answer in it."""
        first = messages[0]
        kind = _KINDS.get(first.chat.type)
        sender = sender_of(first)
        is_mine = first.sender is not None and first.sender.id == self.me.id
        if kind is None or sender is None or is_mine or first.is_automatic_forward:
            return None
        if isinstance(first, ReactionMessage):
            return self._event(first, kind, sender)
        is_press = isinstance(first, PressedMessage)
        if is_press and kind not in self.buttons:
            return None
        words, entities = next((found for found in map(written, messages) if found[0]), ("", ()))
        files = tuple(file for message in messages for file in files_of(message))[:_MOST_FILES]
        addressed = self._addressed(words, entities)
        text = _full_text(addressed.text, messages, files)
        if not text:
            return None
        quoted, text = _quoted(first, text, self.me.id)
        return Inbound(
            address=address_of(first, self.account_id),
            external_id=external_id_of(first),
            sender=sender,
            kind=kind,
            text=text,
            is_mentioned=is_press or addressed.is_mentioned,
            is_reply_to_me=_is_reply_to(first, self.me.id),
            reply_to=_reply_to(first),
            quoted=quoted,
            attachments=files,
            sent_at=first.date * 1000 if first.date else None,
        )

    def _event(self, reaction: ReactionMessage, kind: ChatKind, sender: Sender) -> Inbound:
        """Return what somebody did to a message. Telegram does not say in which topic that stands."""
        return Inbound(
            address=address_of(reaction, self.account_id),
            external_id=external_id_of(reaction),
            sender=sender,
            kind=kind,
            text=reaction.text or "",
            reply_to=str(reaction.message_id),
            sent_at=reaction.date * 1000 if reaction.date else None,
            is_event=True,
        )

    def _addressed(self, words: str, entities: tuple[Entity, ...]) -> Addressed:
        return read_mentions(words, entities, self.me, self.commands)


def address_of(message: Message, account_id: str) -> Address:
    """Return where the answer goes.

    Only a topic is a thread: replies outside forums carry a message_thread_id as well, which sending refuses.
    """
    thread = message.message_thread_id if message.is_topic_message else None
    return Address(CHANNEL_ID, account_id, str(message.chat.id), None if thread is None else str(thread))


def sender_of(message: Message) -> Sender | None:
    """Return who wrote; None when nobody is named. An anonymous admin or a linked channel writes as a chat."""
    chat = message.sender_chat
    if chat is not None:
        return Sender(id=str(chat.id), name=chat.title or chat.username, aliases=_aliases(chat.username))
    user = message.sender
    if user is None:
        return None
    return Sender(id=str(user.id), name=user.name, aliases=_aliases(user.username), is_bot=user.is_bot)


def _aliases(username: str) -> tuple[str, ...]:
    return (f"@{username}", username) if username else ()


def _full_text(words: str, messages: Sequence[Message], files: tuple[Attachment, ...]) -> str:
    lines = [words.strip(), *(describe(message) for message in messages)]
    text = "\n".join(line for line in lines if line)
    if text or not files:
        return text
    return "[picture]" if len(files) == 1 else f"[{len(files)} pictures]"


def _answered(message: Message) -> Message | None:
    """Return the message answered. In a topic, everything that answers nothing seems to answer its first message."""
    answered = message.reply_to_message
    return None if answered is None or answered.forum_topic_created is not None else answered


def _is_reply_to(message: Message, me: int) -> bool:
    answered = _answered(message)
    return answered is not None and answered.sender is not None and answered.sender.id == me


def _reply_to(message: Message) -> str | None:
    answered = _answered(message)
    return None if answered is None else f"{answered.chat.id}:{answered.message_id}"


def _quoted(message: Message, text: str, me: int) -> tuple[str | None, str]:
    """Return what others wrote and what the sender wrote: a forwarded text is not the sender's own."""
    if message.forward_origin is not None:
        return text[:_LONGEST_QUOTE], f"[forwarded from {_origin(message.forward_origin)}]"
    if message.quote is not None and message.quote.text:
        return message.quote.text[:_LONGEST_QUOTE], text
    answered = _answered(message)
    if answered is None or _is_reply_to(message, me):
        return None, text
    said = written(answered)[0] or describe(answered)
    return said[:_LONGEST_QUOTE] or None, text


def _origin(origin: Origin) -> str:
    if origin.sender_user is not None:
        return origin.sender_user.name
    chat = origin.chat or origin.sender_chat
    return (chat.title if chat is not None else origin.sender_user_name) or "somebody"
