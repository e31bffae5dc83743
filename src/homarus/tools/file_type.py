"""What kind of file it is: by its first bytes where a picture could be claimed, else by its name."""

from __future__ import annotations

import mimetypes

PICTURES = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))
UNKNOWN = "application/octet-stream"


def picture_type(content: bytes) -> str | None:
    """Return the type of a picture that models and platforms show, None for anything else."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((mime for signature, mime in PICTURES if content.startswith(signature)), None)


def type_of(name: str, content: bytes) -> str:
    """Return the MIME type of a file; a name alone makes no picture."""
    shown = picture_type(content)
    if shown is not None:
        return shown
    guessed = mimetypes.guess_type(name)[0] or UNKNOWN
    return UNKNOWN if guessed.startswith("image/") and guessed != "image/svg+xml" else guessed
