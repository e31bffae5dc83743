"""`channels`: one section per channel, kept as written and checked by the channel's own model."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, JsonValue

from homarus.config.base import Section, section

KNOWN_CHANNELS = frozenset(
    [
        "bluebubbles",
        "discord",
        "feishu",
        "googlechat",
        "imessage",
        "irc",
        "line",
        "matrix",
        "mattermost",
        "msteams",
        "nextcloud-talk",
        "nostr",
        "qa-channel",
        "qqbot",
        "signal",
        "slack",
        "synology-chat",
        "telegram",
        "tlon",
        "twitch",
        "webchat",
        "whatsapp",
        "zalo",
        "zalouser",
    ]
)
"""Channel ids an OpenClaw 2026.4 file may hold, and our own web chat."""


class HeartbeatVisibility(Section):
    """Which heartbeat results are shown."""

    show_ok: bool | None = None
    """Show runs without findings."""
    show_alerts: bool | None = None
    """Show runs with findings."""
    use_indicator: bool | None = None
    """Emit status events."""


class ChannelDefaults(Section):
    """What channels use when their own section does not say."""

    group_policy: Literal["open", "disabled", "allowlist"] | None = None
    """Which groups are answered."""
    context_visibility: Literal["all", "allowlist", "allowlist_quote"] | None = None
    """Which quoted or history text reaches the model."""
    heartbeat: HeartbeatVisibility = section()
    """Which heartbeat results are shown."""


class Channels(Section):
    """Channel sections by id."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, dict[str, JsonValue]]  # pyright: ignore[reportIncompatibleVariableOverride]

    defaults: ChannelDefaults = section()
    """What channels use when their own section does not say."""
    model_by_channel: dict[str, dict[str, str]] = section()
    """Model per channel and chat."""

    @property
    def sections(self) -> dict[str, dict[str, JsonValue]]:
        """Return the raw section of every channel named in the file."""
        return dict(self.__pydantic_extra__ or {})
