"""Configuration of the web chat: it has no keys of its own beyond those all channels share."""

from __future__ import annotations

from homarus.channels.policy_config import ChannelPolicyConfig


class WebChatConfig(ChannelPolicyConfig):
    """The `channels.webchat` section."""
