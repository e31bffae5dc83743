"""Keys that are accepted and have no effect yet: start-up names them once, so that nobody waits for them to work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, cast

from homarus.config.base import Section
from homarus.config.issues import dotted

if TYPE_CHECKING:
    from homarus.config.schema import Config

Place = tuple[str | int, ...]

USED = (
    "$schema",
    "meta",
    "env.vars",
    "secrets.providers",
    "storage",
    "gateway.port",
    "gateway.mode",
    "gateway.bind",
    "gateway.customBindHost",
    "gateway.controlUi.enabled",
    "gateway.controlUi.allowedOrigins",
    "gateway.auth.mode",
    "gateway.auth.token",
    "gateway.auth.password",
    "discovery.mdns",
    "gateway.auth.rateLimit",
    "gateway.auth.allowTailscale",
    "gateway.auth.trustedProxy",
    "gateway.tailscale",
    "gateway.controlUi.dangerouslyAllowHostHeaderOriginFallback",
    "gateway.controlUi.allowInsecureAuth",
    "gateway.controlUi.dangerouslyDisableDeviceAuth",
    "gateway.trustedProxies",
    "gateway.nodes.pairing.autoApproveLocal",
    "gateway.allowRealIpFallback",
    "gateway.remote.url",
    "gateway.remote.token",
    "gateway.remote.password",
    "gateway.remote.tlsFingerprint",
    "gateway.tls.enabled",
    "gateway.tls.autoGenerate",
    "gateway.tls.certPath",
    "gateway.tls.keyPath",
    "gateway.tls.caPath",
    "gateway.nodes.allowCommands",
    "gateway.nodes.denyCommands",
    "gateway.webchat",
    "gateway.http.rateLimit",
    "gateway.http.webhooks",
    "gateway.tools",
    "agents.defaults.model",
    "agents.defaults.workspace",
    "agents.defaults.bootstrapMaxChars",
    "agents.defaults.bootstrapTotalMaxChars",
    "agents.defaults.userTimezone",
    "agents.defaults.contextTokens",
    "agents.defaults.timeoutSeconds",
    "agents.defaults.maxConcurrent",
    *(
        f"agents.{place}.heartbeat.{key}"
        for place in ("defaults", "list[]")
        for key in (
            "every",
            "activeHours",
            "model",
            "session",
            "target",
            "directPolicy",
            "to",
            "accountId",
            "prompt",
            "ackMaxChars",
            "lightContext",
            "isolatedSession",
        )
    ),
    "agents.list[].id",
    "agents.list[].default",
    "agents.list[].name",
    "agents.list[].workspace",
    "agents.list[].model",
    "agents.list[].identity",
    "agents.list[].groupChat.mentionPatterns",
    "agents.list[].tools.profile",
    "agents.list[].tools.allow",
    "agents.list[].tools.alsoAllow",
    "agents.list[].tools.deny",
    "models.providers.*.baseUrl",
    "models.providers.*.apiKey",
    "models.providers.*.api",
    "models.providers.*.headers",
    "models.providers.*.models",
    "cron.enabled",
    "cron.maxConcurrentRuns",
    "cron.runLog.keepLines",
    "cron.sessionRetention",
    "cron.failureAlert.enabled",
    "cron.failureAlert.after",
    "cron.failureAlert.cooldownMs",
    "cron.failureAlert.accountId",
    "cron.failureDestination.channel",
    "cron.failureDestination.to",
    "cron.failureDestination.accountId",
    "channels.defaults.groupPolicy",
    "channels.defaults.heartbeat",
    "session.dmScope",
    "session.mainKey",
    "session.identityLinks",
    "session.idleMinutes",
    "session.reset",
    "session.resetByChannel",
    "session.resetByType",
    "session.resetTriggers",
    *(
        f"session.maintenance.{key}"
        for key in (
            "mode",
            "pruneAfter",
            "pruneDays",
            "maxEntries",
            "resetArchiveRetention",
            "maxDiskBytes",
            "highWaterBytes",
        )
    ),
    "messages.responsePrefix",
    "messages.tts.enabled",
    "messages.tts.auto",
    "messages.tts.provider",
    "messages.tts.providers",
    "messages.tts.maxTextLength",
    "messages.tts.timeoutMs",
    "talk",
    "skills",
    "nodeHost",
    "messages.groupChat.historyLimit",
    "messages.groupChat.mentionPatterns",
    "messages.ackReaction",
    "messages.ackReactionScope",
    "messages.removeAckAfterReply",
    "messages.queue.mode",
    "messages.queue.byChannel",
    "messages.queue.debounceMs",
    "messages.queue.debounceMsByChannel",
    "messages.queue.cap",
    "messages.queue.drop",
    "bindings[].type",
    "bindings[].agentId",
    "bindings[].comment",
    "bindings[].match",
    "logging",
    "tools.web.fetch.timeoutSeconds",
    "tools.web.fetch.maxRedirects",
    "tools.web.fetch.ssrfPolicy",
    "tools.profile",
    "tools.allow",
    "tools.alsoAllow",
    "tools.deny",
    "tools.exec.timeoutSec",
    "tools.exec.notifyOnExit",
    "tools.exec.notifyOnExitEmptySuccess",
)
"""Keys with an effect; a key covers what is below it. Add a key here in the change that gives it its effect."""

CHANNELS = ("irc", "webchat")
"""Channels that exist."""


def unused_keys(config: Config, channels: tuple[str, ...] = CHANNELS) -> list[str]:
    """Return the keys the file sets that have no effect yet, as dotted paths in file order.

    `channels` are the ids of the channels that can be started.
    """
    return list(dict.fromkeys(dotted(place) for place in _unused(config, (), channels)))


@cache
def is_used(path: str) -> bool:
    """Return whether a key of the reference (`agents.list[].id`, `models.providers.*.api`) has an effect."""
    return any(path == used or path.startswith((f"{used}.", f"{used}[")) for used in USED)


def _is_parent(path: str) -> bool:
    return any(used.startswith((f"{path}.", f"{path}[")) for used in USED) or path == "channels"


def _pattern(place: Place) -> str:
    text = re.sub(r"\[\d+\]", "[]", dotted(place))
    return re.sub(r"^(models\.providers)(\.[^.\[]+|\[\"(?:[^\"\\]|\\.)*\"\])", r"\1.*", text)


def _unused(value: object, place: Place, channels: tuple[str, ...]) -> Iterator[Place]:
    path = _pattern(place)
    if place[:1] == ("channels",) and len(place) == 2 and place[1] not in ("defaults", "modelByChannel"):
        if place[1] not in channels:
            yield place
        return
    if place and is_used(path):
        return
    if place and not _is_parent(path):
        yield place
        return
    for part, item in _items(value):
        yield from _unused(item, (*place, part), channels)


def _items(value: object) -> Iterator[tuple[str | int, object]]:
    if isinstance(value, Section):
        fields = type(value).model_fields
        for name in fields:
            if name in value.model_fields_set:
                yield fields[name].alias or name, getattr(value, name)
        yield from (value.model_extra or {}).items()
    elif isinstance(value, dict):
        yield from cast("dict[str, object]", value).items()
    elif isinstance(value, tuple):
        yield from enumerate(cast("tuple[object, ...]", value))
