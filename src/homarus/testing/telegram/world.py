"""What the test server knows: people, chats, bots and what they wrote."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from msgspec import Struct, field

Json = dict[str, object]


class Person(Struct, frozen=True):
    """Somebody with a Telegram account."""

    id: int
    first_name: str
    username: str = ""

    def as_json(self) -> Json:
        """Return the User object."""
        user: Json = {"id": self.id, "is_bot": False, "first_name": self.first_name, "language_code": "en"}
        return user | ({"username": self.username} if self.username else {})


class TestChat(Struct):
    """A chat. `topics` are thread ids that exist; `moved_to` is set when it became a supergroup."""

    __test__ = False

    id: int
    type: str
    title: str = ""
    is_forum: bool = False
    topics: set[int] = field(default_factory=set[int])
    topic_names: dict[int, str] = field(default_factory=dict[int, str])
    is_blocked: bool = False
    moved_to: int | None = None

    def as_json(self) -> Json:
        """Return the Chat object."""
        chat: Json = {"id": self.id, "type": self.type}
        chat |= {"first_name": self.title} if self.type == "private" else {"title": self.title}
        return chat | ({"is_forum": True} if self.is_forum else {})


class Sent(Struct):
    """A message that a bot sent. `raw` is the text or caption as it came, `text` as people see it, `edits` the earlier
    texts, `data` the bytes of a file."""

    method: str
    chat: int
    message_id: int
    raw: str
    text: str
    entities: list[Json]
    thread: int | None = None
    reply_to: int | None = None
    parse_mode: str = ""
    edits: list[str] = field(default_factory=list[str])
    is_deleted: bool = False
    has_preview: bool = True
    is_quiet: bool = False
    poll: Json = field(default_factory=dict[str, object])
    buttons: list[list[Json]] = field(default_factory=list[list[Json]])
    file_name: str = ""
    data: bytes = b""


class TestBot(Struct, eq=False):
    """A bot and its waiting updates. `confirmed` counts updates that a higher offset or a 200 confirmed."""

    __test__ = False

    token: str
    id: int
    username: str
    reads_all: bool = False
    is_revoked: bool = False
    updates: list[Json] = field(default_factory=list[Json])
    allowed: frozenset[str] = frozenset()
    webhook_url: str = ""
    webhook_secret: str = ""
    webhook_error: str = ""
    certificate: bytes = b""
    commands: list[Json] = field(default_factory=list[Json])
    confirmed: int = 0
    next_update: int = 481_920_034
    poll: asyncio.Event | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def as_json(self) -> Json:
        """Return the User object that getMe gives."""
        return {
            "id": self.id,
            "is_bot": True,
            "first_name": self.username,
            "username": self.username,
            "can_join_groups": True,
            "can_read_all_group_messages": self.reads_all,
            "supports_inline_queries": False,
        }

    def put(self, kind: str, body: Json) -> None:
        """Add an update, unless its kind was not asked for."""
        silent = {"chat_member", "message_reaction", "message_reaction_count"}
        if (self.allowed and kind not in self.allowed) or (not self.allowed and kind in silent):
            return
        self.updates.append({"update_id": self.next_update, kind: body})
        self.next_update += 1
        self.news.set()

    def confirm(self, offset: int) -> None:
        """Forget the updates before an offset."""
        kept = [update for update in self.updates if _number(update) >= offset]
        self.confirmed += len(self.updates) - len(kept)
        self.updates = kept

    def keep_last(self, count: int) -> None:
        """Forget all updates but the last ones: what a negative offset means."""
        if len(self.updates) > count:
            self.confirm(_number(self.updates[-count]))


def entities_of(text: str, words: Iterable[str]) -> list[Json]:
    """Return the entities Telegram would mark: @names and /commands among the words of a text."""
    found: list[Json] = []
    position = 0
    for word in words:
        start = text.index(word, position)
        position = start + len(word)
        kind = "mention" if word.startswith("@") else "bot_command" if word.startswith("/") else ""
        if kind and len(word) > 1:
            offset = len(text[:start].encode("utf-16-le")) // 2
            found.append({"type": kind, "offset": offset, "length": len(word.encode("utf-16-le")) // 2})
    return found


def _number(update: Json) -> int:
    number = update["update_id"]
    return number if isinstance(number, int) else 0
