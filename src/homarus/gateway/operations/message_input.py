"""What clients write and attach, made safe before it goes on (reference 02, chat.send 1, 2 and 6)."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from typing import Final

from homarus.models.contract import Image
from homarus.protocol.chat import AttachmentParams
from homarus.protocol.errors import invalid
from homarus.protocol.frames import MAX_IMAGE
from homarus.protocol.validation import parse_params

MAX_IMAGES: Final = 8
_CONTROL = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,", re.IGNORECASE)
_SIGNATURES: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
)


def clean_message(text: str) -> str:
    """Return a message without control characters, in NFC. Raises ProtocolError for NUL bytes."""
    if "\x00" in text:
        raise invalid("message must not contain null bytes")
    return unicodedata.normalize("NFC", _CONTROL.sub("", text))


def read_images(attachments: list[object] | None, method: str) -> tuple[Image, ...]:
    """Return the attached images; other files are passed over. Raises ProtocolError for broken or large ones."""
    images: list[Image] = []
    for index, raw in enumerate(attachments or []):
        image = _image(parse_params(AttachmentParams, method, raw), index)
        if image is not None:
            images.append(image)
    if len(images) > MAX_IMAGES:
        raise invalid(f"at most {MAX_IMAGES} images can be attached; got {len(images)}")
    return tuple(images)


def _image(given: AttachmentParams, index: int) -> Image | None:
    text, mime = given.content, given.mime_type
    if given.source is not None:
        text, mime = given.source.data, given.source.media_type
    name = given.file_name or f"attachment {index + 1}"
    if not text:
        raise invalid(f"{name}: content must be base64")
    match = _DATA_URL.match(text)
    if match is not None:
        mime, text = mime or match[1], text[match.end() :]
    if len(text) > MAX_IMAGE * 4 // 3 + 4:
        raise invalid(f"{name}: larger than {MAX_IMAGE} bytes")
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid(f"{name}: content is not valid base64") from error
    sniffed = next((kind for head, kind in _SIGNATURES if data.startswith(head)), None)
    kind = sniffed or mime or ""
    return Image(kind, data) if kind.startswith("image/") else None
