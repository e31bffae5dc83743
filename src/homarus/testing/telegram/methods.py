"""The methods of the Bot API, as the test server answers them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from homarus.testing.telegram.html_text import MarkupError, read_html, units
from homarus.testing.telegram.world import Json, Sent, TestBot, TestChat

if TYPE_CHECKING:
    from homarus.testing.telegram.server import TelegramServer

REACTIONS = frozenset("👍👎❤🔥🎉👀🤔👌😁🙏")
"""Emoji that bots may react with; the real list has about 70."""


FILES = ("photo", "document", "voice", "audio", "video", "animation")
"""Kinds of files that bots send."""
POLL_KEYS = ("is_anonymous", "allows_multiple_answers", "open_period")
LONGEST_QUESTION = 300
"""Characters of the question of a poll."""
LONGEST_TOPIC = 128
"""Characters of a topic's name."""
LONGEST_DATA = 64
"""Bytes that a button gives back."""
_HEADS = {"photo": (b"\x89PNG", b"\xff\xd8", b"RIFF"), "voice": (b"OggS",)}


class Refusal(Exception):
    """A call is answered with an error."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.parameters = parameters


class Arguments:
    """The parameters of a call: JSON values, or the texts and files of a form."""

    def __init__(self, values: Json, files: dict[str, tuple[str, bytes]]) -> None:
        self.values = values
        self.files = files

    def text(self, name: str) -> str:
        """Return a parameter as text, empty when it is missing."""
        value = self.values.get(name)
        return value if isinstance(value, str) else "" if value is None else json.dumps(value)

    def number(self, name: str) -> int | None:
        """Return a parameter as a number, None when it is missing."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        return int(cast("str | int", value))

    def object(self, name: str) -> Json:
        """Return a parameter as an object; forms carry it as JSON."""
        found = self.parsed(name)
        return cast("Json", found) if isinstance(found, dict) else {}

    def items(self, name: str) -> list[Json]:
        """Return a parameter as a list."""
        found = self.parsed(name)
        return cast("list[Json]", found) if isinstance(found, list) else []

    def parsed(self, name: str) -> object:
        """Return a parameter with JSON texts read."""
        value = self.values.get(name)
        return cast("object", json.loads(value)) if isinstance(value, str) and value[:1] in "[{" else value


class Methods:
    """Answers calls by changing the server's world; getUpdates is the server's own."""

    def __init__(self, server: TelegramServer) -> None:
        self._server = server
        self._table: dict[str, Callable[[TestBot, Arguments], object]] = {
            "getme": lambda bot, _: bot.as_json(),
            "setwebhook": self._set_webhook,
            "deletewebhook": self._delete_webhook,
            "getwebhookinfo": self._webhook_info,
            "setmycommands": self._set_commands,
            "sendmessage": self._send,
            **{f"send{kind}": self._send_file for kind in FILES},
            "editmessagetext": self._edit,
            "deletemessage": self._delete,
            "setmessagereaction": self._react,
            "sendchataction": self._act,
            "getfile": self._get_file,
            "sendpoll": self._send_poll,
            "sendsticker": self._send_sticker,
            "createforumtopic": self._create_topic,
            "editforumtopic": self._rename_topic,
            "answercallbackquery": self._answer_press,
        }

    def answer(self, method: str, bot: TestBot, arguments: Arguments) -> object:
        """Return the result of a call. Raises Refusal."""
        found = self._table.get(method.lower())
        if found is None:
            raise Refusal(404, "Not Found")
        return found(bot, arguments)

    def _set_webhook(self, bot: TestBot, arguments: Arguments) -> bool:
        url = arguments.text("url")
        if url and not url.startswith("https://") and not self._server.allows_http_webhooks:
            raise Refusal(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        bot.webhook_url, bot.webhook_secret, bot.webhook_error = url, arguments.text("secret_token"), ""
        bot.certificate = arguments.files.get("certificate", ("", b""))[1]
        self._server.set_allowed(bot, arguments)
        if arguments.values.get("drop_pending_updates") in {True, "true"}:
            bot.updates.clear()
        self._server.start_webhook(bot)
        return True

    def _delete_webhook(self, bot: TestBot, arguments: Arguments) -> bool:
        bot.webhook_url = bot.webhook_secret = ""
        if arguments.values.get("drop_pending_updates") in {True, "true"}:
            bot.updates.clear()
        return True

    def _webhook_info(self, bot: TestBot, arguments: Arguments) -> Json:  # noqa: ARG002 - the table's signature
        info: Json = {
            "url": bot.webhook_url,
            "has_custom_certificate": bool(bot.certificate),
            "pending_update_count": len(bot.updates),
        }
        return info | ({"last_error_message": bot.webhook_error} if bot.webhook_error else {})

    def _set_commands(self, bot: TestBot, arguments: Arguments) -> bool:
        bot.commands = arguments.items("commands")
        return True

    def _send(self, bot: TestBot, arguments: Arguments) -> Json:
        text, entities = _read(arguments, "text", 4096)
        if not text.strip():
            raise Refusal(400, "Bad Request: message text is empty")
        sent = self._store(bot, "sendMessage", arguments, text, entities)
        preview = arguments.object("link_preview_options")
        sent.has_preview = not preview.get("is_disabled")
        return self.message(bot, sent)

    def _send_file(self, bot: TestBot, arguments: Arguments) -> Json:
        field = next((kind for kind in FILES if kind in arguments.files), None)
        if field is None:
            raise Refusal(400, "Bad Request: there is no file in the request")
        name, data = arguments.files[field]
        if field in _HEADS and not data.startswith(_HEADS[field]):
            raise Refusal(400, f"Bad Request: {'IMAGE_PROCESS_FAILED' if field == 'photo' else 'wrong file content'}")
        text, entities = _read(arguments, "caption", 1024)
        sent = self._store(bot, f"send{field.capitalize()}", arguments, text, entities)
        sent.file_name, sent.data = name, data
        return self.message(bot, sent)

    def _send_poll(self, bot: TestBot, arguments: Arguments) -> Json:
        question = arguments.text("question")
        options = [str(item.get("text") or "") for item in arguments.items("options")]
        if not 1 <= len(question) <= LONGEST_QUESTION or not all(1 <= len(option) <= 100 for option in options):
            raise Refusal(400, "Bad Request: poll question or option has a wrong length")
        if not 2 <= len(options) <= 12:
            raise Refusal(400, "Bad Request: wrong number of poll options")
        sent = self._store(bot, "sendPoll", arguments, question, [])
        sent.poll = {name: arguments.parsed(name) for name in POLL_KEYS} | {"options": options}
        return self.message(bot, sent)

    def _send_sticker(self, bot: TestBot, arguments: Arguments) -> Json:
        name = arguments.text("sticker")
        if name not in self._server.files:
            raise Refusal(400, "Bad Request: wrong remote file identifier specified")
        sent = self._store(bot, "sendSticker", arguments, "", [])
        sent.file_name = name
        return self.message(bot, sent)

    def _store(self, bot: TestBot, method: str, arguments: Arguments, text: str, entities: list[Json]) -> Sent:
        chat = self._chat(arguments)
        thread = arguments.number("message_thread_id")
        if thread is not None and thread not in chat.topics:
            raise Refusal(400, "Bad Request: message thread not found")
        reply = arguments.object("reply_parameters")
        target = reply.get("message_id")
        if target is not None and target not in self._server.message_ids(chat.id):
            if not reply.get("allow_sending_without_reply"):
                raise Refusal(400, "Bad Request: message to be replied not found")
            target = None
        sent = Sent(
            method=method,
            chat=chat.id,
            message_id=self._server.next_message_id(chat.id),
            raw=arguments.text("text") or arguments.text("caption"),
            text=text,
            entities=entities,
            thread=thread,
            reply_to=target if isinstance(target, int) else None,
            parse_mode=arguments.text("parse_mode"),
            buttons=_buttons(arguments),
            is_quiet=arguments.values.get("disable_notification") in {True, "true"},
        )
        self._server.record(bot, sent)
        return sent

    def _edit(self, bot: TestBot, arguments: Arguments) -> Json:
        sent = self._own(arguments, "message to edit not found")
        text, entities = _read(arguments, "text", 4096)
        buttons = _buttons(arguments)
        if text == sent.text and entities == sent.entities and buttons == sent.buttons:
            raise Refusal(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are exactly the"
                " same as a current content and reply markup of the message",
            )
        sent.edits.append(sent.text)
        sent.raw, sent.text, sent.entities, sent.buttons = arguments.text("text"), text, entities, buttons
        self._server.tell()
        return self.message(bot, sent) | {"edit_date": self._server.now}

    def _delete(self, bot: TestBot, arguments: Arguments) -> bool:  # noqa: ARG002 - the table's signature
        self._own(arguments, "message to delete not found").is_deleted = True
        return True

    def _react(self, bot: TestBot, arguments: Arguments) -> bool:
        chat, target = self._chat(arguments), arguments.number("message_id")
        if target not in self._server.message_ids(chat.id):
            raise Refusal(400, "Bad Request: message to react not found")
        emojis = [str(item.get("emoji")) for item in arguments.items("reaction")]
        if any(emoji not in REACTIONS for emoji in emojis):
            raise Refusal(400, "Bad Request: REACTION_INVALID")
        self._server.reactions[bot.id, chat.id, target or 0] = emojis
        return True

    def _act(self, bot: TestBot, arguments: Arguments) -> bool:  # noqa: ARG002 - the table's signature
        chat = self._chat(arguments)
        self._server.actions.append((chat.id, arguments.number("message_thread_id"), arguments.text("action")))
        self._server.tell()
        return True

    def _answer_press(self, bot: TestBot, arguments: Arguments) -> bool:  # noqa: ARG002 - the table's signature
        press = arguments.text("callback_query_id")
        if press not in self._server.presses:
            raise Refusal(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        self._server.presses.remove(press)
        self._server.tell()
        return True

    def _create_topic(self, bot: TestBot, arguments: Arguments) -> Json:  # noqa: ARG002 - the table's signature
        chat, name = self._chat(arguments), arguments.text("name")
        if not chat.is_forum:
            raise Refusal(400, "Bad Request: the chat is not a forum")
        if not 1 <= len(name) <= LONGEST_TOPIC:
            raise Refusal(400, "Bad Request: TOPIC_TITLE_INVALID")
        thread = self._server.next_message_id(chat.id)
        chat.topics.add(thread)
        chat.topic_names[thread] = name
        return {"message_thread_id": thread, "name": name, "icon_color": 0x6FB9F0}

    def _rename_topic(self, bot: TestBot, arguments: Arguments) -> bool:  # noqa: ARG002 - the table's signature
        chat, thread, name = self._chat(arguments), arguments.number("message_thread_id"), arguments.text("name")
        if thread not in chat.topics:
            raise Refusal(400, "Bad Request: TOPIC_ID_INVALID")
        if not 1 <= len(name) <= LONGEST_TOPIC:
            raise Refusal(400, "Bad Request: TOPIC_TITLE_INVALID")
        if chat.topic_names.get(thread) == name:
            raise Refusal(400, "Bad Request: TOPIC_NOT_MODIFIED")
        chat.topic_names[thread] = name
        self._server.tell()
        return True

    def _get_file(self, bot: TestBot, arguments: Arguments) -> Json:  # noqa: ARG002 - the table's signature
        name = arguments.text("file_id")
        if name not in self._server.files:
            raise Refusal(400, "Bad Request: invalid file_id")
        path, data = self._server.files[name]
        if len(data) > self._server.largest_download:
            raise Refusal(400, "Bad Request: file is too big")
        return {"file_id": name, "file_unique_id": f"u{name}", "file_size": len(data), "file_path": path}

    def _own(self, arguments: Arguments, missing: str) -> Sent:
        chat, number = self._chat(arguments), arguments.number("message_id")
        for sent in self._server.sent:
            if sent.chat == chat.id and sent.message_id == number and not sent.is_deleted:
                return sent
        raise Refusal(400, f"Bad Request: {missing}")

    def _chat(self, arguments: Arguments) -> TestChat:
        chat = self._server.chats.get(arguments.number("chat_id") or 0)
        if chat is None:
            raise Refusal(400, "Bad Request: chat not found")
        if chat.moved_to is not None:
            raise Refusal(
                400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.moved_to
            )
        if chat.is_blocked:
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        return chat

    def message(self, bot: TestBot, sent: Sent) -> Json:
        """Return the Message object of something a bot sent."""
        chat = self._server.chats[sent.chat]
        found: Json = {
            "message_id": sent.message_id,
            "date": self._server.now,
            "chat": chat.as_json(),
            "from": bot.as_json(),
        }
        if sent.thread is not None:
            found |= {"message_thread_id": sent.thread, "is_topic_message": True}
        if sent.buttons:
            found["reply_markup"] = {"inline_keyboard": sent.buttons}
        if sent.method == "sendPoll":
            return found | {"poll": {"id": f"poll{sent.message_id}", "question": sent.text}}
        if sent.method == "sendMessage":
            return found | {"text": sent.text, "entities": sent.entities}
        file: Json = {"file_id": f"sent-{sent.message_id}", "file_unique_id": f"u{sent.message_id}"}
        if sent.method == "sendPhoto":
            return found | {"caption": sent.text, "photo": [file | {"width": 1, "height": 1}]}
        return found | {"caption": sent.text, sent.method[4:].lower(): file | {"file_name": sent.file_name}}


def _buttons(arguments: Arguments) -> list[list[Json]]:
    """Return the inline keyboard of a call, as strictly read as by Telegram."""
    rows = cast("list[list[Json]]", arguments.object("reply_markup").get("inline_keyboard") or [])
    for button in (button for row in rows for button in row):
        data, url = str(button.get("callback_data") or ""), str(button.get("url") or "")
        if not button.get("text") or bool(data) is bool(url):
            raise Refusal(
                400,
                "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
            )
        if len(data.encode()) > LONGEST_DATA:
            raise Refusal(400, "Bad Request: BUTTON_DATA_INVALID")
    return rows


def _read(arguments: Arguments, name: str, limit: int) -> tuple[str, list[Json]]:
    raw = arguments.text(name)
    if arguments.text("parse_mode") == "HTML":
        try:
            text, entities = read_html(raw)
        except MarkupError as error:
            raise Refusal(400, f"Bad Request: can't parse entities: {error}") from error
    else:
        text, entities = raw, arguments.items("entities")
    if units(text) > limit:
        raise Refusal(400, "Bad Request: message is too long" if name == "text" else "Bad Request: caption is too long")
    return text, entities
