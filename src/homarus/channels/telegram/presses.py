"""Buttons that are pressed: a press is a message of the one who pressed, an answer to the message it stands under."""

from __future__ import annotations

from homarus.channels.telegram.objects import Message, Press, PressedMessage, ReactionMessage


def message_of_press(press: Press) -> PressedMessage | None:
    """Return a press as a message; None for one under a message that Telegram does not name."""
    under = press.message
    if under is None or not press.data:
        return None
    return PressedMessage.model_construct(
        message_id=under.message_id,
        chat=under.chat,
        sender=press.sender,
        message_thread_id=under.message_thread_id,
        is_topic_message=under.is_topic_message,
        reply_to_message=under,
        text=_text(press),
        press=press,
    )


def external_id_of(message: Message) -> str:
    """Return what a message exists once by. It ends in the id of the message that an answer quotes."""
    mark = ""
    if isinstance(message, PressedMessage):
        mark = f"press-{message.press.id}:"
    elif isinstance(message, ReactionMessage):
        mark = f"reaction-{message.update_id}:"
    return f"{message.chat.id}:{mark}{message.message_id}"


def _text(press: Press) -> str:
    """Return an order as it is; other data with what the button says, in the form skills of OpenClaw know."""
    if press.data.startswith("/"):
        return press.data
    label = " ".join(press.label.split())[:100]
    button = f'"{label}"' if label else "a button"
    return f"[pressed {button}] callback_data: {press.data}"
