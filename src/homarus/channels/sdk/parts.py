"""From a reply in Markdown to the texts a channel is given: rendered in its markup and cut to its limit."""

from __future__ import annotations

from homarus.channels.contract import Capabilities
from homarus.channels.sdk.chunking import chunk
from homarus.channels.sdk.markup import render
from homarus.channels.sdk.measure import Unit


def parts_of(
    markdown: str, capabilities: Capabilities, *, limit: int | None = None, by_paragraph: bool = False
) -> list[str]:
    """Return the part texts of a reply, in order; empty for a blank reply.

    `limit` lowers the platform's own limit (the key `textChunkLimit`, in code points as configured, taken in the
    platform's unit). Rendering comes before cutting, because it changes lengths; dialects without fences have none
    left to keep closed by then.
    """
    most = capabilities.max_text if limit is None else min(limit, capabilities.max_text)
    text = render(markdown, capabilities.markup)
    return chunk(text, limit=max(16, most), unit=Unit(capabilities.text_unit), by_paragraph=by_paragraph)
