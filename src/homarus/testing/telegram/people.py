"""What people do on the test server: write, send pictures and files, edit, react, open groups and topics."""

from __future__ import annotations

from homarus.testing.telegram.server import TelegramServer
from homarus.testing.telegram.world import Json, Person, Sent, TestBot, TestChat, entities_of

INES = Person(6_120_045_512, "Ines", "ines_k")
"""Somebody with a username."""

TOMO = Person(5_511_220_033, "Tomo")
"""Somebody without."""


class People:
    """Acts for people. Every method returns the Message object, which later calls can answer or edit."""

    def __init__(self, server: TelegramServer) -> None:
        self._server = server
        self._groups = 0
        self._files = 0
        self._presses = 0

    def private(self, person: Person) -> TestChat:
        """Return the private chat with a person, opening it first."""
        return self._server.chats.setdefault(person.id, TestChat(person.id, "private", person.first_name))

    def group(self, title: str, *, is_forum: bool = False, topics: tuple[int, ...] = ()) -> TestChat:
        """Open a supergroup with every bot in it."""
        self._groups += 1
        chat = TestChat(-1_002_200_113_344 - self._groups, "supergroup", title, is_forum, set(topics))
        self._server.chats[chat.id] = chat
        return chat

    def say(
        self, person: Person, text: str, *, chat: TestChat | None = None, bot: TestBot | None = None, **more: object
    ) -> Json:
        """Write a text; `more` are further keys of the Message object, e.g. `reply_to_message`."""
        entities = entities_of(text, text.split())
        marks: Json = {"entities": entities} if entities else {}
        return self.post(person, {"text": text} | marks | more, chat=chat, bot=bot)

    def photo(self, person: Person, data: bytes, *, chat: TestChat | None = None, **more: object) -> Json:
        """Send a picture; it exists in a small and in its full size."""
        sizes = [
            self._file(b"small", "photos") | {"width": 90, "height": 67},
            self._file(data, "photos") | {"width": 1280, "height": 960},
        ]
        return self.post(person, {"photo": sizes} | more, chat=chat)

    def file(self, person: Person, kind: str, data: bytes, *, chat: TestChat | None = None, **facts: object) -> Json:
        """Send a file as `voice`, `document`, `video` and so on; `facts` are keys of the media object and `caption`."""
        caption = {"caption": facts.pop("caption")} if "caption" in facts else {}
        return self.post(person, {kind: self._file(data, kind) | facts} | caption, chat=chat)

    def post(
        self, person: Person, body: Json, *, chat: TestChat | None = None, bot: TestBot | None = None, thread: int = 0
    ) -> Json:
        """Put any message into a chat; `thread` puts it into a topic."""
        place = chat or self.private(person)
        thread = int(str(body.pop("thread", thread)))
        message: Json = {
            "message_id": self._server.next_message_id(place.id),
            "date": self._server.now,
            "chat": place.as_json(),
            "from": person.as_json(),
        } | body
        if thread:
            message |= {"message_thread_id": thread, "is_topic_message": True}
        self._put("message", message, place, bot)
        return message

    def edit(self, message: Json, text: str) -> Json:
        """Change the text of a message."""
        edited = message | {"text": text, "edit_date": self._server.now}
        self._put("edited_message", edited, None, None)
        return edited

    def react(self, person: Person, message: Json, emoji: str) -> None:
        """Put an emoji on a message."""
        self._react(person, message, [], [emoji])

    def unreact(self, person: Person, message: Json, emoji: str) -> None:
        """Take an emoji off a message."""
        self._react(person, message, [emoji], [])

    def _react(self, person: Person, message: Json, before: list[str], after: list[str]) -> None:
        body: Json = {
            "chat": message["chat"],
            "message_id": message["message_id"],
            "user": person.as_json(),
            "date": self._server.now,
            "old_reaction": [{"type": "emoji", "emoji": emoji} for emoji in before],
            "new_reaction": [{"type": "emoji", "emoji": emoji} for emoji in after],
        }
        self._put("message_reaction", body, None, None)

    def press(self, person: Person, sent: Sent, label: str, *, bot: TestBot | None = None) -> str:
        """Press a button under a message of a bot and return the id of the press."""
        data = next(str(each["callback_data"]) for row in sent.buttons for each in row if each["text"] == label)
        self._presses += 1
        press = f"262849901122330{self._presses:04d}"
        self._server.presses.add(press)
        body: Json = {
            "id": press,
            "from": person.as_json(),
            "message": self._server.message(bot or self._server.bot, sent),
            "chat_instance": "-77123",
            "data": data,
        }
        self._put("callback_query", body, None, bot or self._server.bot)
        return press

    def block(self, person: Person) -> None:
        """Let a person block the bot."""
        self.private(person).is_blocked = True

    def _put(self, kind: str, body: Json, chat: TestChat | None, bot: TestBot | None) -> None:
        is_private = chat is not None and chat.type == "private"
        reached = [bot] if bot is not None else [self._server.bot] if is_private else [*self._server.bots.values()]
        for each in reached:
            each.put(kind, body)

    def _file(self, data: bytes, folder: str) -> Json:
        self._files += 1
        name = f"AgACAgQAAx{self._files}"
        self._server.files[name] = (f"{folder}/file_{self._files}", data)
        return {"file_id": name, "file_unique_id": f"AQAD{self._files}", "file_size": len(data)}
