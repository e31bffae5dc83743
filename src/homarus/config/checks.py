"""Rules between keys, which the models alone cannot express."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, cast

from homarus.config.issues import ConfigIssue, dotted
from homarus.config.units import parse_duration, parse_size

if TYPE_CHECKING:
    from homarus.config.exec import ExecTool
    from homarus.config.heartbeat import Heartbeat
    from homarus.config.sandboxing import Sandbox
    from homarus.config.schema import Config
    from homarus.config.tools import LoopDetection

Place = tuple[str | int, ...]

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_NEEDS = (
    ("telegram", "webhookUrl", None, "webhookSecret"),
    ("slack", "mode", "http", "signingSecret"),
)


def check(config: Config, tree: dict[str, object]) -> list[ConfigIssue]:
    """Return every broken rule; `tree` is the file after substitution: only what it holds is looked at."""
    found = [*_policies(tree, ())]
    for family, rules in _RULES.items():
        if family in tree:
            found.extend(rules(config))
    return found


def _issue(place: Place, message: str, fix: str) -> ConfigIssue:
    return ConfigIssue(dotted(place), message, fix=fix)


def _gateway(config: Config) -> Iterator[ConfigIssue]:
    gateway = config.gateway
    if gateway.channel_stale_event_threshold_minutes < gateway.channel_health_check_minutes:
        place = ("gateway", "channelStaleEventThresholdMinutes")
        yield _issue(place, "is shorter than channelHealthCheckMinutes", "make it at least as long")
    if gateway.bind == "custom" and not gateway.custom_bind_host:
        yield _issue(("gateway", "customBindHost"), "is required with bind custom", "set the address to listen on")
    if gateway.auth.mode == "trusted-proxy" and gateway.auth.trusted_proxy is None:
        place = ("gateway", "auth", "trustedProxy")
        yield _issue(place, "is required with mode trusted-proxy", 'set {userHeader: "…"}')


def _agents(config: Config) -> Iterator[ConfigIssue]:
    seen: set[str] = set()
    for index, agent in enumerate(config.agents.list):
        place: Place = ("agents", "list", index)
        if agent.id in seen:
            yield _issue((*place, "id"), f'agent "{agent.id}" is listed twice', "give each agent its own id")
        seen.add(agent.id)
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", agent.id):
            yield _issue((*place, "id"), "is not a plain name", "use letters, digits, - and _, at most 64")
        if agent.heartbeat is not None:
            yield from _heartbeat(agent.heartbeat, (*place, "heartbeat"))
        if agent.sandbox is not None:
            yield from _sandbox(agent.sandbox, (*place, "sandbox"))
        if agent.tools is not None and agent.tools.loop_detection is not None:
            yield from _loop(agent.tools.loop_detection, (*place, "tools", "loopDetection"))
    written = config.agents.defaults.model_fields_set
    if "heartbeat" in written:
        yield from _heartbeat(config.agents.defaults.heartbeat, ("agents", "defaults", "heartbeat"))
    if "sandbox" in written:
        yield from _sandbox(config.agents.defaults.sandbox, ("agents", "defaults", "sandbox"))


def _heartbeat(heartbeat: Heartbeat, place: Place) -> Iterator[ConfigIssue]:
    try:
        parse_duration(heartbeat.every, unit="m")
    except ValueError as error:
        yield _issue((*place, "every"), str(error), "write for example 30m, or 0m to turn it off")
    hours = heartbeat.active_hours
    for name, value in (("start", hours and hours.start), ("end", hours and hours.end)):
        if value and not _CLOCK.fullmatch(value) and (name, value) != ("end", "24:00"):
            yield _issue((*place, "activeHours", name), "must be HH:MM", "write for example 08:00 (24:00 only as end)")


def _sandbox(sandbox: Sandbox, place: Place) -> Iterator[ConfigIssue]:
    if "docker" not in sandbox.model_fields_set:
        return
    docker, here = sandbox.docker, (*place, "docker")
    if docker.network == "host":
        yield _issue((*here, "network"), "host would end the isolation", "use none, or a network of its own")
    if docker.network.startswith("container:") and not docker.dangerously_allow_container_namespace_join:
        yield _issue((*here, "network"), "joins another container", "use none or a network of its own")
    for name, value in (("seccompProfile", docker.seccomp_profile), ("apparmorProfile", docker.apparmor_profile)):
        if value == "unconfined":
            yield _issue((*here, name), "unconfined would end the isolation", "remove the key or name a profile")
    for index, bind in enumerate(docker.binds):
        if not bind.startswith("/"):
            yield _issue((*here, "binds", index), "the source is not absolute", "write /host/path:/container/path")


def _loop(loop: LoopDetection, place: Place) -> Iterator[ConfigIssue]:
    if not loop.warning_threshold < loop.critical_threshold < loop.global_circuit_breaker_threshold:
        message = "thresholds must rise: warningThreshold < criticalThreshold < globalCircuitBreakerThreshold"
        yield _issue(place, message, "correct the three numbers")


def _exec(tool: ExecTool, place: Place) -> Iterator[ConfigIssue]:
    for index, name in enumerate(tool.safe_bins or ()):
        if not re.fullmatch(r"[A-Za-z0-9._+-]+", name):
            yield _issue(
                (*place, "safeBins", index), "is not a plain program name", "write the name without its folder"
            )


def _tools(config: Config) -> Iterator[ConfigIssue]:
    yield from _loop(config.tools.loop_detection, ("tools", "loopDetection"))
    yield from _exec(config.tools.exec, ("tools", "exec"))


def _bindings(config: Config) -> Iterator[ConfigIssue]:
    for index, binding in enumerate(config.bindings):
        peer = binding.match.peer
        if binding.type == "acp" and (peer is None or peer.id in ("", "*")):
            yield _issue(("bindings", index, "match", "peer", "id"), "an ACP binding names one chat", "set peer.id")


def _session(config: Config) -> Iterator[ConfigIssue]:
    maintenance, place = config.session.maintenance, ("session", "maintenance")
    ages = {"pruneAfter": maintenance.prune_after, "resetArchiveRetention": maintenance.reset_archive_retention}
    sizes = {
        "rotateBytes": maintenance.rotate_bytes,
        "maxDiskBytes": maintenance.max_disk_bytes,
        "highWaterBytes": maintenance.high_water_bytes,
    }
    for name, value in ages.items():
        yield from _amount((*place, name), value, _days)
    for name, value in sizes.items():
        yield from _amount((*place, name), value, parse_size)


def _cron(config: Config) -> Iterator[ConfigIssue]:
    yield from _amount(("cron", "sessionRetention"), config.cron.session_retention, _days)


def _storage(config: Config) -> Iterator[ConfigIssue]:
    yield from _amount(("storage", "journalRetention"), config.storage.journal_retention, _at_least_a_day)


def _amount(place: Place, value: str | float | None, read: Callable[[str | float], float]) -> Iterator[ConfigIssue]:
    """Look at an age or a size; unset and false mean none."""
    if value is None or value is False:
        return
    try:
        read(value)
    except ValueError as error:
        yield _issue(place, str(error), "correct the number and its unit")


def _days(value: str | float) -> float:
    return parse_duration(value, unit="d")


def _at_least_a_day(value: str | float) -> float:
    """Platforms give a message out again for up to a day; until then the journal must know it."""
    if (seconds := _days(value)) < 86_400:
        raise ValueError("must be at least 1d, or false")
    return seconds


def _policies(value: object, place: Place) -> Iterator[ConfigIssue]:
    """A tool policy says allow or alsoAllow, not both; policies occur in many places, so every object is looked at."""
    if isinstance(value, dict):
        tree = cast("dict[str, object]", value)
        if tree.get("allow") and tree.get("alsoAllow"):
            yield _issue(
                place, "has both allow and alsoAllow", "keep allow for a full list, alsoAllow to add to the profile"
            )
        for key, item in tree.items():
            yield from _policies(item, (*place, key))
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[object]", value)):
            yield from _policies(item, (*place, index))


def _channels(config: Config) -> Iterator[ConfigIssue]:
    for name, raw in config.channels.sections.items():
        section = cast("dict[str, object]", raw)
        place: Place = ("channels", name)
        yield from _channel(name, section, {}, place)
        accounts = section.get("accounts")
        if isinstance(accounts, dict):
            for account, settings in cast("dict[str, object]", accounts).items():
                if isinstance(settings, dict):
                    yield from _channel(
                        name, cast("dict[str, object]", settings), section, (*place, "accounts", account)
                    )


def _channel(name: str, own: dict[str, object], above: dict[str, object], place: Place) -> Iterator[ConfigIssue]:
    """Check one section or account; an account falls back to the section `above`."""
    merged = {**above, **own}
    yield from _dm_policy(own, merged, place)
    for channel, key, value, needed in _NEEDS:
        if channel == name and own.get(key) and value in (None, own[key]) and not merged.get(needed):
            yield _issue((*place, needed), f"is required with {key}", f"set {needed}")
    services = own.get("nickserv")
    if name == "irc" and isinstance(services, dict):
        settings = cast("dict[str, object]", services)
        if settings.get("register") and not settings.get("registerEmail"):
            yield _issue(
                (*place, "nickserv", "registerEmail"), "is required with register", "set the address NickServ asks for"
            )


def _dm_policy(own: dict[str, object], merged: dict[str, object], place: Place) -> Iterator[ConfigIssue]:
    nested = own.get("dm")
    if "dmPolicy" not in own and isinstance(nested, dict):
        dm = cast("dict[str, object]", nested)
        policy, listed, where = (
            dm.get("policy"),
            dm.get("allowFrom") or merged.get("allowFrom"),
            (*place, "dm", "allowFrom"),
        )
    else:
        policy, listed, where = own.get("dmPolicy"), merged.get("allowFrom"), (*place, "allowFrom")
    entries = [str(entry).strip() for entry in cast("list[object]", listed)] if isinstance(listed, list) else []
    if policy == "open" and "*" not in entries:
        yield _issue(where, 'dmPolicy open needs "*" here', 'add "*", or use pairing to approve people one by one')
    if policy == "allowlist" and not entries:
        yield _issue(where, "dmPolicy allowlist needs at least one sender here", "add a sender id, or use pairing")


_RULES: dict[str, Callable[[Config], Iterator[ConfigIssue]]] = {
    "gateway": _gateway,
    "agents": _agents,
    "tools": _tools,
    "bindings": _bindings,
    "channels": _channels,
    "session": _session,
    "cron": _cron,
    "storage": _storage,
}
