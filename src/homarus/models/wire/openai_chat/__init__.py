"""The OpenAI chat completions protocol, client direction: requests out, streamed answers in."""

from homarus.models.wire.openai_chat.request import render_request
from homarus.models.wire.openai_chat.stream import ChatStream

__all__ = ["ChatStream", "render_request"]
