"""Asking the default model one tiny question, to see whether it works."""

from __future__ import annotations

import asyncio
from typing import Final

from msgspec import Struct

from homarus.clock import Clock
from homarus.config.load import LoadedConfig
from homarus.errors import UserError
from homarus.models.catalogue import Catalogue
from homarus.models.configured import settings_from_config
from homarus.models.contract import Completed, Failed, FailureKind, Model, ModelRequest, Text, UserMessage
from homarus.models.http import HttpClient, Timeouts

SECONDS: Final = 60.0
TIMEOUTS: Final = Timeouts(connect=10.0, first=30.0, idle=20.0, total=45.0)
MAX_ANSWER: Final = 80
"""Characters of the answer that are shown."""

_FIXES: Final = {
    FailureKind.AUTH: "copy the key again from the provider's page, and check that it is meant for this provider",
    FailureKind.BILLING: "add credit to the account, or use another provider",
    FailureKind.RATE_LIMIT: "wait a minute and try again",
    FailureKind.OVERLOADED: "try again in a minute, or choose another model",
    FailureKind.TIMEOUT: "try again; a local server may still be loading the model",
    FailureKind.CONNECTION: "check that the server runs, its address, and the network",
    FailureKind.GARBAGE: "check the address: it usually ends with /v1",
    FailureKind.BAD_REQUEST: "check the name of the model and the address",
    FailureKind.CONTEXT_OVERFLOW: "choose a model with a larger context",
}


class Trial(Struct, frozen=True):
    """How it went: `detail` is the beginning of the answer, or the failure with its `fix`."""

    ref: str
    is_ok: bool
    detail: str
    fix: str | None = None
    latency_ms: int = 0


async def try_model(loaded: LoadedConfig, clock: Clock, *, within: float = SECONDS) -> Trial:
    """Ask the default model of a configuration; failures are in the result. Takes at most `within` seconds."""
    http = HttpClient(TIMEOUTS)
    catalogue = Catalogue(settings_from_config(loaded.config, loaded.env), http, clock)
    started = clock.monotonic()
    try:
        model = catalogue.resolve(None)
        async with asyncio.timeout(within):
            last = await _ask(model)
    except UserError as error:
        return Trial(catalogue.default_ref, is_ok=False, detail=error.message, fix=error.fix)
    except TimeoutError:
        detail = f"no answer within {within:.0f} s"
        return Trial(catalogue.default_ref, is_ok=False, detail=detail, fix=_FIXES[FailureKind.TIMEOUT])
    finally:
        await http.close()
    latency = round((clock.monotonic() - started) * 1000)
    if isinstance(last, Failed):
        return Trial(model.info.ref, is_ok=False, detail=last.message, fix=_FIXES[last.kind], latency_ms=latency)
    return Trial(model.info.ref, is_ok=True, detail=_shown(last), latency_ms=latency)


async def _ask(model: Model) -> Completed | Failed:
    question = UserMessage((Text("Answer with the one word: ready"),))
    # Reasoning models spend tokens before the first visible word.
    request = ModelRequest(model.info.id, "", (question,), max_output_tokens=256)
    async for event in model.stream(request):
        if isinstance(event, Completed | Failed):
            return event
    return Failed(FailureKind.GARBAGE, f"{model.info.ref} ended its answer without an end")


def _shown(answer: Completed) -> str:
    text = " ".join(answer.message.text.split())
    return text if len(text) <= MAX_ANSWER else f"{text[:MAX_ANSWER].rstrip()}…"
