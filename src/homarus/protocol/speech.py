"""Parameters of the methods about speech and talk mode."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, MaxLen

from homarus.protocol.base import LooseParams, NonEmpty, Params, Positive

_Spoken = Annotated[str, MaxLen(20_000)]
_Name = Annotated[str, MaxLen(256)]


class TtsProviderParams(LooseParams):
    """`tts.setProvider`."""

    provider: _Name


class TtsConvertParams(LooseParams):
    """`tts.convert`."""

    text: _Spoken
    channel: _Name | None = None


class TalkConfigParams(Params):
    """`talk.config`."""

    include_secrets: bool | None = None


class TalkModeParams(Params):
    """`talk.mode`."""

    enabled: bool
    phase: _Name | None = None


class TalkSpeakParams(Params):
    """`talk.speak`. `speed` 1.0 is normal, as is `rateWpm` 175; what a provider does not know it passes over."""

    text: Annotated[NonEmpty, MaxLen(20_000)]
    voice_id: _Name | None = None
    model_id: _Name | None = None
    output_format: _Name | None = None
    speed: float | int | None = None
    rate_wpm: Positive | None = None
    stability: float | int | None = None
    similarity: float | int | None = None
    style: float | int | None = None
    speaker_boost: bool | None = None
    seed: Annotated[int, Ge(0)] | None = None
    normalize: _Name | None = None
    language: _Name | None = None
    latency_tier: Annotated[int, Ge(0)] | None = None
