"""The objects of the Bot API that are read; whatever else they hold is ignored."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Wire(BaseModel):
    """Base of all objects: other keys are ignored, values are frozen, validators are built on first use."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True, populate_by_name=True)


class User(Wire):
    """A person or a bot. `can_read_all_group_messages` comes with getMe only; false means privacy mode is on."""

    id: int
    is_bot: bool = False
    first_name: str = ""
    last_name: str = ""
    username: str = ""
    can_read_all_group_messages: bool | None = None
    can_join_groups: bool | None = None

    @property
    def name(self) -> str:
        """Return the name as shown."""
        return f"{self.first_name} {self.last_name}".strip() or self.username


class Chat(Wire):
    """A chat. `type` is private, group, supergroup or channel."""

    id: int
    type: str
    title: str = ""
    username: str = ""
    is_forum: bool = False


class Entity(Wire):
    """A marked piece of text; `offset` and `length` are in UTF-16 units."""

    type: str
    offset: int
    length: int
    user: User | None = None


class File(Wire):
    """Any file of a message, or the answer of getFile with its `file_path`."""

    file_id: str
    file_unique_id: str = ""
    file_size: int | None = None
    mime_type: str = ""
    file_name: str = ""
    duration: int | None = None
    width: int | None = None
    height: int | None = None
    file_path: str = ""
    emoji: str = ""
    title: str = ""


class Quote(Wire):
    """The piece of a message that is quoted."""

    text: str
    is_manual: bool = False


class Origin(Wire):
    """Where a forwarded message comes from."""

    type: str = ""
    sender_user: User | None = None
    sender_user_name: str = ""
    sender_chat: Chat | None = None
    chat: Chat | None = None


class Location(Wire):
    """A place in degrees."""

    latitude: float
    longitude: float


class Venue(Wire):
    """A named place."""

    title: str = ""
    address: str = ""


class Contact(Wire):
    """A card of a person."""

    phone_number: str = ""
    first_name: str = ""
    last_name: str = ""


class Option(Wire):
    """One answer of a poll."""

    text: str = ""


class Poll(Wire):
    """A poll."""

    question: str = ""
    options: tuple[Option, ...] = ()


class Dice(Wire):
    """A thrown dice."""

    emoji: str = ""
    value: int = 0


class KeyboardButton(Wire):
    """A button under a message."""

    text: str = ""
    callback_data: str = ""


class Keyboard(Wire):
    """The buttons under a message, row by row."""

    inline_keyboard: tuple[tuple[KeyboardButton, ...], ...] = ()


class Message(Wire):
    """A message. Service messages have none of the fields that carry content."""

    message_id: int
    date: int = 0
    chat: Chat
    sender: User | None = Field(default=None, alias="from")
    sender_chat: Chat | None = None
    message_thread_id: int | None = None
    is_topic_message: bool = False
    is_automatic_forward: bool = False
    media_group_id: str | None = None
    reply_to_message: Message | None = None
    quote: Quote | None = None
    forward_origin: Origin | None = None
    forum_topic_created: object = None
    text: str | None = None
    entities: tuple[Entity, ...] = ()
    caption: str | None = None
    caption_entities: tuple[Entity, ...] = ()
    rich_message: object = None
    photo: tuple[File, ...] = ()
    document: File | None = None
    audio: File | None = None
    voice: File | None = None
    video: File | None = None
    video_note: File | None = None
    animation: File | None = None
    sticker: File | None = None
    location: Location | None = None
    venue: Venue | None = None
    contact: Contact | None = None
    poll: Poll | None = None
    dice: Dice | None = None
    reply_markup: Keyboard | None = None


class Press(Wire):
    """A button that was pressed (`callback_query`); `message` is the one it stands under."""

    id: str
    sender: User = Field(alias="from")
    message: Message | None = None
    data: str = ""

    @property
    def label(self) -> str:
        """Return what the button says, as far as that is known."""
        markup = self.message.reply_markup if self.message is not None else None
        rows = markup.inline_keyboard if markup is not None else ()
        return next((each.text for row in rows for each in row if each.callback_data == self.data), "")


class PressedMessage(Message):
    """A press as the message it amounts to; never read from an update."""

    press: Press


class ReactionType(Wire):
    """An emoji of a reaction; `emoji` is empty for those of the platform's own making."""

    type: str = ""
    emoji: str = ""


class Reaction(Wire):
    """Somebody changed the reactions they have on a message (`message_reaction`)."""

    chat: Chat
    message_id: int
    date: int = 0
    user: User | None = None
    actor_chat: Chat | None = None
    old_reaction: tuple[ReactionType, ...] = ()
    new_reaction: tuple[ReactionType, ...] = ()


class ReactionMessage(Message):
    """A reaction as the message it amounts to; never read from an update."""

    update_id: int


class Update(Wire):
    """One update; kinds that were not asked for are ignored."""

    update_id: int
    message: Message | None = None
    callback_query: Press | None = None
    message_reaction: Reaction | None = None


class WebhookInfo(Wire):
    """How the webhook stands; `url` is empty when none is set."""

    url: str = ""
    pending_update_count: int = 0
    last_error_message: str = ""
