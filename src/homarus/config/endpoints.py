"""`gateway.http`: HTTP endpoints and response headers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator

from homarus.config.base import Count, Many, Positive, Section, Text, section
from homarus.config.secret import Secret


class RemoteInputs(Section):
    """Limits of what requests refer to."""

    allow_url: bool | None = None
    """Fetch addresses."""
    url_allowlist: Many[str] | None = None
    """Hosts admitted."""
    allowed_mimes: Many[str] | None = None
    """Types admitted."""
    max_bytes: Positive | None = None
    """Size limit."""
    max_redirects: Count | None = None
    """Redirect limit."""
    timeout_ms: Positive | None = None
    """Time limit, milliseconds."""


class ImageInputs(RemoteInputs):
    """Limits of pictures in requests."""


class ChatCompletionsEndpoint(Section):
    """POST /v1/chat/completions."""

    enabled: bool = False
    """Turns this feature on or off."""
    max_body_bytes: Positive | None = None
    """Request size limit."""
    max_image_parts: Count | None = None
    """Input limit."""
    max_total_image_bytes: Positive | None = None
    """Input limit."""
    images: ImageInputs = section()
    """Input limits."""


class PdfInputs(Section):
    """Limits of PDF files in requests."""

    max_pages: Positive | None = None
    """PDF limit."""
    max_pixels: Positive | None = None
    """PDF limit."""
    min_text_chars: Count | None = None
    """PDF limit."""


class FileInputs(RemoteInputs):
    """Limits of files in requests."""

    max_chars: Positive | None = None
    """Most characters."""
    pdf: PdfInputs = section()
    """PDF limits."""


class ResponsesEndpoint(Section):
    """POST /v1/responses."""

    enabled: bool = False
    """Turns this feature on or off."""
    max_body_bytes: Positive | None = None
    """Request size limit."""
    max_url_parts: Count | None = None
    """Input limit."""
    files: FileInputs = section()
    """Input limits."""
    images: ImageInputs = section()
    """Input limits."""


class HttpEndpoints(Section):
    """HTTP endpoints."""

    chat_completions: ChatCompletionsEndpoint = section()
    """POST /v1/chat/completions."""
    responses: ResponsesEndpoint = section()
    """POST /v1/responses."""


class SecurityHeaders(Section):
    """Response headers."""

    strict_transport_security: str | Literal[False] | None = None
    """HSTS value."""


class CallLimits(Section):
    """Calls one caller may make over HTTP."""

    max_requests: Positive = 600
    """Calls in the window."""
    window_ms: Positive = 60_000
    """Window, milliseconds."""


MIN_WEBHOOK_SECRET = 16
"""Characters; no person types it."""


def _long_enough(secret: Secret) -> Secret:
    if len(secret.reveal()) < MIN_WEBHOOK_SECRET:
        raise ValueError(
            f"is too short: use at least {MIN_WEBHOOK_SECRET} characters, such as those of `openssl rand -hex 32`"
        )
    return secret


class ChannelWebhook(Section):
    """Programs that may speak on a channel."""

    secret: Annotated[Secret, AfterValidator(_long_enough)]
    """Key of the signature each call carries."""
    account: Text | None = None
    """Account of the channel; unset: `default`, else the first."""


class HttpSurface(Section):
    """HTTP surface."""

    endpoints: HttpEndpoints = section()
    """HTTP endpoints."""
    security_headers: SecurityHeaders = section()
    """Response headers."""
    rate_limit: CallLimits = section()
    """Calls one caller may make over HTTP."""
    webhooks: dict[str, ChannelWebhook] = section()
    """Programs that may speak on channels by POST /webhook/<channel>, by the id of the channel."""
