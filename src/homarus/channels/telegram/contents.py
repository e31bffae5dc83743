"""What a message says and carries: its text, a line for what has no text, and its files."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Mapping
from typing import cast

from homarus.channels.contract import Attachment
from homarus.channels.telegram.objects import Entity, File, Message

PICTURE_LIMIT = 5 * 1024 * 1024
"""Bytes of the largest size of a photo that is taken; Telegram gives a photo in up to four sizes."""

_MOST_RICH = 32_768  # characters, the limit of a rich message (Bot API)
_DEEPEST = 32
_KINDS: tuple[tuple[str, str, str], ...] = (  # field, what it is called, the type when none is given
    ("voice", "voice message", "audio/ogg"),
    ("audio", "audio", "audio/mpeg"),
    ("video", "video", "video/mp4"),
    ("video_note", "video message", "video/mp4"),
    ("animation", "animation", "video/mp4"),
    ("document", "file", "application/octet-stream"),
)


def written(message: Message) -> tuple[str, tuple[Entity, ...]]:
    """Return the text or caption that somebody wrote, with its entities."""
    if message.text is not None:
        return message.text, message.entities
    if message.caption is not None:
        return message.caption, message.caption_entities
    return _rich_text(message.rich_message), ()


def describe(message: Message) -> str:
    """Return a line for content that is neither text nor picture, empty when there is none."""
    for name, label, _ in _KINDS:
        file = cast("File | None", getattr(message, name))
        if file is not None and not _is_picture(file):
            return _file_line(label, file)
    if message.sticker is not None:
        return f"[sticker {message.sticker.emoji}]".replace(" ]", "]")
    return _simple_line(message)


def files_of(message: Message) -> Iterator[Attachment]:
    """Yield the files of a message, not yet fetched: `ref` is the file id."""
    if message.photo:
        photo = _best_size(message.photo)
        yield Attachment("image/jpeg", f"photo-{message.message_id}.jpg", ref=photo.file_id, size=photo.file_size)
    for name, _, mime in _KINDS:
        file = cast("File | None", getattr(message, name))
        if file is None:
            continue
        yield _attachment(file, mime, name, message.message_id)
        if name == "animation":  # Telegram repeats it as a document
            return


def _attachment(file: File, mime: str, kind: str, number: int) -> Attachment:
    found = file.mime_type or mime
    name = file.file_name or f"{kind}-{number}{mimetypes.guess_extension(found) or ''}"
    return Attachment(found[:100], name[:200], ref=file.file_id, size=file.file_size)


def _best_size(sizes: tuple[File, ...]) -> File:
    fitting = [size for size in sizes if (size.file_size or 0) <= PICTURE_LIMIT]
    return (fitting or sizes[:1])[-1]


def _is_picture(file: File) -> bool:
    return file.mime_type.startswith("image/")


def _file_line(label: str, file: File) -> str:
    facts = [
        file.file_name or file.title,
        f"{file.duration} s" if file.duration is not None else "",
        f"{file.file_size} bytes" if file.file_size is not None else "",
    ]
    known = ", ".join(" ".join(fact.split())[:200] for fact in facts if fact)
    return f"[{label}: {known}]" if known else f"[{label}]"


def _simple_line(message: Message) -> str:
    if message.location is not None:
        place = f"{message.venue.title}, {message.venue.address}, " if message.venue is not None else ""
        return f"[location: {place}{message.location.latitude:.6f}, {message.location.longitude:.6f}]"
    if message.contact is not None:
        card = message.contact
        return f"[contact: {f'{card.first_name} {card.last_name}'.strip()}, {card.phone_number}]"
    if message.poll is not None:
        answers = " / ".join(option.text for option in message.poll.options)
        return f"[poll: {message.poll.question} - {answers}]"
    if message.dice is not None:
        return f"[{message.dice.emoji} showing {message.dice.value}]"
    return ""


def _rich_text(value: object) -> str:
    """Return the words of a rich message: every text in its blocks, a line each."""
    lines: list[str] = []
    _collect(value, lines, _DEEPEST)
    return "\n".join(line for line in lines if line.strip())[:_MOST_RICH]


def _collect(value: object, lines: list[str], depth: int) -> None:
    if depth == 0:
        return
    if isinstance(value, list):
        for item in cast("list[object]", value):
            _collect(item, lines, depth - 1)
    elif isinstance(value, dict):
        for key, item in cast("Mapping[str, object]", value).items():
            if key == "text" and isinstance(item, str):
                lines.append(item)
            elif isinstance(item, dict | list):
                _collect(cast("object", item), lines, depth - 1)
