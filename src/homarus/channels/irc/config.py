"""The `channels.irc` section: the keys an OpenClaw configuration has, and ours for SASL, certificates and pace."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

from pydantic import Field, SecretStr, field_validator

from homarus.channels.policy_config import ChannelPolicyConfig, ConfigModel

_LONGEST_PATTERN = 200


class SaslMechanism(StrEnum):
    """How to log in before anything else; `auto` takes the strongest that both sides can do."""

    AUTO = "auto"
    PLAIN = "plain"
    EXTERNAL = "external"
    SCRAM_SHA_256 = "scram-sha-256"
    OFF = "off"


class NickServConfig(ConfigModel):
    """Login with the network's nick service, for networks without SASL."""

    enabled: bool | None = None
    service: str = "NickServ"
    password: SecretStr | None = None
    password_file: str | None = None
    is_registering: bool = Field(default=False, alias="register")
    register_email: str | None = None


class SaslConfig(ConfigModel):
    """Login by SASL. Without a password here, the NickServ password is used if there is one."""

    mechanism: SaslMechanism = SaslMechanism.AUTO
    account: str | None = None
    password: SecretStr | None = None
    password_file: str | None = None


class FloodConfig(ConfigModel):
    """How fast lines are sent: so many at once, then one per interval."""

    burst: Annotated[int, Field(ge=1, le=100)] = 4
    interval_seconds: Annotated[float, Field(ge=0, le=60)] = 2.0


class IrcAccountConfig(ChannelPolicyConfig):
    """One connection to one network."""

    host: str | None = None
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    tls: bool = True
    nick: str = "homarus"
    username: str | None = None
    realname: str | None = None
    password: SecretStr | None = None
    password_file: str | None = None
    nickserv: NickServConfig = NickServConfig()
    channels: list[str] = Field(default_factory=list)
    mention_patterns: list[str] = Field(default_factory=list)
    sasl: SaslConfig = SaslConfig()
    tls_ca_file: str | None = None
    tls_cert_file: str | None = None
    tls_key_file: str | None = None
    dangerously_disable_tls_verification: bool = False
    flood: FloodConfig = FloodConfig()

    @field_validator("nick")
    @classmethod
    def _is_a_nick(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z\[\]\\`_^{|}][A-Za-z0-9\[\]\\`_^{|}-]{0,62}", value):
            raise ValueError(f"{value!r} cannot be a nick: begin with a letter, use letters, digits and -_[]{{}}\\`^|")
        return value

    @field_validator("channels")
    @classmethod
    def _are_channels(cls, value: list[str]) -> list[str]:
        for entry in value:
            if not re.fullmatch(r"[#&+!][^\s,\x00-\x1f]{0,199}( [^\s,\x00-\x1f]{1,100})?", entry):
                raise ValueError(f'{entry!r} is no channel: write "#name", or "#name key" for one with a key')
        return value

    @field_validator("mention_patterns")
    @classmethod
    def _are_patterns(cls, value: list[str]) -> list[str]:
        for pattern in value:
            if len(pattern) > _LONGEST_PATTERN:
                raise ValueError(f"a mention pattern may have {_LONGEST_PATTERN} characters: {pattern[:40]!r}...")
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
        return value


class IrcConfig(IrcAccountConfig):
    """The whole section: one account's keys, or `accounts` whose entries override them."""

    accounts: dict[str, IrcAccountConfig] = Field(default_factory=dict)
    default_account: str | None = None
