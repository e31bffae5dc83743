"""The sections of channels in a configuration, judged by the channels' own models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from homarus.channels import registry
from homarus.channels.policy_config import ChannelPolicyConfig, GroupPolicy
from homarus.channels.webchat.config import WebChatConfig
from homarus.config.issues import ConfigErrors, ConfigIssue
from homarus.config.load import LoadedConfig, read_channels
from homarus.errors import ConfigError
from homarus.pipeline.accounts import WEBCHAT

if TYPE_CHECKING:
    from pydantic import BaseModel

    from homarus.config.secret import SecretResolver

Sections = Mapping[str, Mapping[str, object]]


def channel_sections(loaded: LoadedConfig) -> dict[str, ChannelPolicyConfig]:
    """Return the validated section of every enabled channel, the web chat always among them.

    Raises ConfigErrors for broken sections and for channels that do not exist here yet.
    """
    found, issues = _read(cast("Sections", loaded.config.channels.sections), loaded.secrets)
    if issues:
        raise ConfigErrors(issues)
    policy = loaded.config.channels.defaults.group_policy
    enabled = {name: _with_default(section, policy) for name, section in found.items() if section.enabled}
    # Nothing but defaults, which need no validator: building one takes as long as the rest of this.
    return {WEBCHAT: WebChatConfig.model_construct(), **enabled}


def section_issues(sections: Sections, secrets: SecretResolver) -> list[ConfigIssue]:
    """Return everything that is wrong with the sections of channels; implements homarus.config.load.Judge."""
    return _read(sections, secrets)[1]


def _read(sections: Sections, secrets: SecretResolver) -> tuple[dict[str, ChannelPolicyConfig], list[ConfigIssue]]:
    known = registry.manifests()
    models: dict[str, type[BaseModel]] = {}
    issues: list[ConfigIssue] = []
    for name, section in sections.items():
        try:
            if name in known:
                models[name] = registry.load(name).config_model
            elif section.get("enabled", True) is not False:
                issues.append(_unavailable(name))
        except ConfigError as error:
            issues.append(ConfigIssue(error.path or f"channels.{name}", error.message, fix=error.fix))
    found, wrong = read_channels(sections, models, secrets)
    named = {issue.path for issue in wrong}
    rest = [issue for issue in issues if issue.path not in named]
    return cast("dict[str, ChannelPolicyConfig]", found), [*rest, *wrong]


def _unavailable(name: str) -> ConfigIssue:
    known = ", ".join(registry.manifests())
    return ConfigIssue(
        f"channels.{name}",
        f"the channel {name!r} is not available yet",
        fix=f"remove the section or set its `enabled` to false; available: {known}",
    )


def _with_default(section: ChannelPolicyConfig, policy: str | None) -> ChannelPolicyConfig:
    """Return a section with `channels.defaults.groupPolicy` where it says nothing itself."""
    if policy is None or "group_policy" in section.model_fields_set:
        return section
    return section.model_copy(update={"group_policy": GroupPolicy(policy)})
