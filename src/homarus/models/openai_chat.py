"""A model behind any server that speaks OpenAI chat completions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping

from msgspec import Struct, field

from homarus.clock import Clock
from homarus.errors import ConfigError, HomarusError
from homarus.models.contract import Failed, FailureKind, ModelEvent, ModelInfo, ModelRequest
from homarus.models.failures import classify_response
from homarus.models.http import HttpClient, HttpFailure, HttpReply
from homarus.models.settings import Compat, SecretText
from homarus.models.wire.json_value import compact
from homarus.models.wire.openai_chat import ChatStream, render_request

_PATH = "/chat/completions"
_ERROR_BODY = 64 * 1024
_GRACE = 5.0
"""Seconds a server has to send usage and the end mark after it said why it stopped."""


class Endpoint(Struct, frozen=True):
    """Where and how a provider is called. `base_url` ends before `/chat/completions`, e.g. https://host/v1."""

    base_url: str
    api_key: SecretText | None = None
    headers: Mapping[str, SecretText | str] = field(default_factory=dict[str, "SecretText | str"])
    compat: Compat = field(default_factory=Compat)

    @property
    def url(self) -> str:
        """Return the address to post to."""
        base = self.base_url.rstrip("/")
        return base if base.endswith(_PATH) else base + _PATH

    def reveal_key(self) -> str:
        """Return the key in the clear, empty when there is none. Raises ConfigError."""
        return self.api_key.reveal().strip() if self.api_key else ""

    def reveal_headers(self, key: str) -> dict[str, str]:
        """Return the request headers with their secrets in the clear. Raises ConfigError."""
        revealed = {name: value if isinstance(value, str) else value.reveal() for name, value in self.headers.items()}
        authorization = {"Authorization": f"Bearer {key}"} if key else {}
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream", **authorization, **revealed}
        for name, value in headers.items():
            if not (name + value).isprintable():
                raise ConfigError(f"the value for the header {name!r} holds a line break or control character")
        return headers


class OpenAIChatModel:
    """Streams from one model of one provider; shared between sessions, keeps nothing between calls."""

    def __init__(self, info: ModelInfo, endpoint: Endpoint, http: HttpClient, clock: Clock) -> None:
        self._info = info
        self._endpoint = endpoint
        self._http = http
        self._clock = clock

    @property
    def info(self) -> ModelInfo:
        """What this model is."""
        return self._info

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Ask the model; every provider failure is a Failed event."""
        answer = ChatStream(self._info.provider, self._new_call_id)
        try:
            key = self._endpoint.reveal_key()
            headers = self._endpoint.reveal_headers(key)
        except HomarusError as error:
            yield Failed(FailureKind.AUTH, f"{self._info.provider} cannot be asked: {error.message}")
            return
        try:
            async with self._http.post(self._endpoint.url, headers, self._render(request)) as reply:
                if not 200 <= reply.status < 300:
                    yield await self._classify(reply, key)
                    return
                while not answer.is_over:
                    for event in await self._read(reply, answer):
                        yield event
        except HttpFailure as failure:
            if not answer.is_over:
                yield self._failed(failure, answer)

    def _render(self, request: ModelRequest) -> bytes:
        body = render_request(
            request, model=self._info.id, compat=self._endpoint.compat, has_vision=self._info.has_vision
        )
        return compact(body).encode("utf-8", errors="replace")

    async def _read(self, reply: HttpReply, answer: ChatStream) -> Iterator[ModelEvent]:
        try:
            data = await reply.read(within=_GRACE if answer.is_complete else None)
        except HttpFailure:
            if answer.is_complete:
                return answer.close()
            raise
        return answer.feed(data) if data else answer.close()

    async def _classify(self, reply: HttpReply, key: str) -> Failed:
        try:
            body = await reply.read_up_to(_ERROR_BODY)
        except HttpFailure:
            body = b""  # the status alone says enough
        return classify_response(
            self._info.provider, reply.status, reply.headers, body, now_ms=self._clock.now_ms(), secret=key
        )

    def _failed(self, failure: HttpFailure, answer: ChatStream) -> Failed:
        provider = self._info.provider
        where = f"Check models.providers.{provider}.baseUrl and the network, or choose another model."
        return Failed(failure.kind, f"{provider} {failure.message}. {where}", partial=answer.text)

    def _new_call_id(self) -> str:
        return f"call_{self._clock.uuid().replace('-', '')[:24]}"
