"""Parameters and result of `send`."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, Self, TypedDict

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import AliasChoices, BeforeValidator, Field, model_validator

from homarus.protocol.base import LooseParams, NonEmpty, Params
from homarus.protocol.chat import RunKey

MAX_TEXT = 65_536
"""Characters of one message; it is cut into parts, so this is a bound on work and not on what a platform takes."""

MAX_MEDIA = 25 * 1024 * 1024
"""Characters of one file as a data: URL; a frame holds no more anyway."""


def _as_text(value: object) -> object:
    """Platforms count their messages, so clients send numbers as well."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


MessageName = Annotated[str, MinLen(1), MaxLen(512), BeforeValidator(_as_text)]
"""The platform's id of a message."""


class SendParams(Params):
    """`send`. `to` is a chat of the channel: a nick, a room, a chat id.

    `mediaUrl` is `data:TYPE;name=FILE;base64,...`, an http or https address of the internet, or a path in the workspace
    of the agent (`agentId`). `buffer` is a file as base64, `filename` and `contentType` say what it is. `replyToId` is
    the platform's id of the message that is answered.
    """

    to: Annotated[str, MinLen(1), MaxLen(512)]
    message: Annotated[str, MaxLen(MAX_TEXT)] | None = None
    media_url: Annotated[str, MaxLen(MAX_MEDIA)] | None = None
    media_urls: Annotated[list[Annotated[str, MaxLen(MAX_MEDIA)]], MaxLen(10)] | None = None
    buffer: Annotated[str, MaxLen(MAX_MEDIA)] | None = None
    filename: Annotated[str, MaxLen(200)] | None = None
    content_type: Annotated[str, MaxLen(200)] | None = None
    reply_to_id: MessageName | None = None
    gif_playback: bool | None = None
    channel: Annotated[str, MaxLen(64)] | None = None
    account_id: Annotated[str, MaxLen(64)] | None = None
    agent_id: NonEmpty | None = None
    thread_id: Annotated[str, MaxLen(512)] | None = None
    session_key: Annotated[str, MaxLen(512)] | None = None
    idempotency_key: RunKey


class MessageActionParams(Params):
    """`message.action`; `params` are those of the action."""

    channel: Annotated[str, MinLen(1), MaxLen(64)]
    action: NonEmpty
    params: dict[str, object]
    account_id: Annotated[str, MaxLen(64)] | None = None
    session_key: Annotated[str, MaxLen(512)] | None = None
    session_id: str | None = None
    agent_id: NonEmpty | None = None
    sender_is_owner: bool | None = None
    conversation_read_origin: Literal["direct-operator"] | None = None
    idempotency_key: RunKey


class ButtonParams(LooseParams):
    """A button under a message. `callbackData` comes back as a message when it is pressed, or `url` is opened."""

    text: Annotated[str, MinLen(1), MaxLen(64)]
    callback_data: Annotated[str, MaxLen(64), Field(validation_alias=AliasChoices("callback_data", "callbackData"))] = (
        ""
    )
    url: Annotated[str, MaxLen(2048)] = ""

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        if bool(self.callback_data) is bool(self.url):
            raise ValueError("a button has either callback_data or url")
        if len(self.callback_data.encode()) > 64:
            raise ValueError("callback_data has at most 64 bytes")
        return self


class ActionParams(LooseParams):
    """The parameters of the action `send`, and what all actions know.

    `buttons` are rows of buttons under the text; `silent` sends without a notification.
    """

    to: Annotated[str, MaxLen(512)] | None = None
    target: Annotated[str, MaxLen(512)] | None = None
    message: Annotated[str, MaxLen(MAX_TEXT)] | None = None
    media: Annotated[str, MaxLen(MAX_MEDIA)] | None = None
    media_url: Annotated[str, MaxLen(MAX_MEDIA)] | None = None
    account_id: Annotated[str, MaxLen(64)] | None = None
    thread_id: Annotated[str, MaxLen(512)] | None = None
    buffer: Annotated[str, MaxLen(MAX_MEDIA)] | None = None
    filename: Annotated[str, MaxLen(200)] | None = None
    content_type: Annotated[str, MaxLen(200)] | None = None
    reply_to: MessageName | None = None
    buttons: Annotated[list[Annotated[list[ButtonParams], MaxLen(8)]], MaxLen(25)] | None = None
    silent: bool | None = None
    dry_run: bool | None = None


class TouchParams(ActionParams):
    """The parameters of actions on a message that is there: `react`, `edit` and `delete`.

    `messageId` is the platform's id of the message; `emoji` is put on it, or taken off with `remove` or when empty.
    """

    message_id: MessageName
    emoji: Annotated[str, MaxLen(64)] | None = None
    remove: bool | None = None


PollOption = Annotated[str, MinLen(1), MaxLen(100)]


class PollParams(Params):
    """`poll`. `durationSeconds` or `durationHours` close it; with `maxSelections` over 1 several answers count."""

    to: Annotated[str, MinLen(1), MaxLen(512)]
    question: Annotated[str, MinLen(1), MaxLen(300)]
    options: Annotated[list[PollOption], MinLen(2), MaxLen(12)]
    max_selections: Annotated[int, Ge(1), Le(12)] | None = None
    duration_seconds: Annotated[int, Ge(1), Le(604_800)] | None = None
    duration_hours: Annotated[int, Ge(1), Le(168)] | None = None
    silent: bool | None = None
    is_anonymous: bool | None = None
    thread_id: Annotated[str, MaxLen(512)] | None = None
    channel: Annotated[str, MaxLen(64)] | None = None
    account_id: Annotated[str, MaxLen(64)] | None = None
    idempotency_key: RunKey


class PollActionParams(ActionParams):
    """The parameters of the action `poll`, as the command line of version 4 writes them."""

    poll_question: Annotated[str, MinLen(1), MaxLen(300)]
    poll_option: Annotated[list[PollOption], MinLen(2), MaxLen(12)]
    poll_multi: bool | None = None
    poll_anonymous: bool | None = None
    poll_public: bool | None = None
    poll_duration_seconds: Annotated[int, Ge(1), Le(604_800)] | None = None
    poll_duration_hours: Annotated[int, Ge(1), Le(168)] | None = None


class TopicParams(ActionParams):
    """The parameters of `topic-create` and, with the thread it is about, `topic-edit`."""

    name: Annotated[str, MinLen(1), MaxLen(128)]


class StickerParams(ActionParams):
    """The parameters of the action `sticker`: the platform's id of it."""

    file_id: Annotated[str, MinLen(1), MaxLen(256)]


class SendResult(TypedDict):
    """The answer: `state` is sent, or queued when the platform has not taken it yet; `detail` says why."""

    runId: str
    messageId: str
    channel: str
    chatId: str
    state: str
    detail: NotRequired[str]
