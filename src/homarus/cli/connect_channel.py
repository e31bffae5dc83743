"""Connecting a channel: shared by `homarus channels add` and `homarus onboard`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import cast

from msgspec import Struct, field
from msgspec.structs import replace

from homarus.cli.exits import UsageFailure
from homarus.cli.prompts import ask, ask_secret, choose, confirm
from homarus.cli.screen import clean, say, warn
from homarus.clock import SystemClock
from homarus.config.json5_text import parse
from homarus.errors import ConfigError, UserError
from homarus.ids import Address
from homarus.ops.channel_probe import Probed, probe
from homarus.ops.channel_setup import (
    Plan,
    Question,
    build,
    missing_key,
    plan,
    question,
    questions,
    read_answer,
    refuse_existing,
)
from homarus.ops.draft import Draft

TEST_MESSAGE = "Hello from Homarus: this channel works."
_MAX_ROUNDS = 12
_NO_TEST = "check the chat, which must know us already on some platforms, or leave --send-test-to out"
_AFTER_FAILURE = (
    ("again", "answer the questions once more"),
    ("keep", "write it as it is"),
    ("leave", "go on without this channel"),
)


class ChannelOptions(Struct, frozen=True):
    """What was typed about a channel. `settings` are options by name; `more` are `KEY=VALUE` with JSON5 values."""

    name: str
    account: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    more: tuple[str, ...] = ()
    is_probed: bool = True
    test_to: str | None = None
    is_asking: bool = False


def read_settings(arguments: Sequence[str], prefix: str = "") -> dict[str, str]:
    """Return `--name value`, `--name=value` and `--no-name` as settings by name; `prefix` stands before each name.

    Raises UsageFailure for anything else.
    """
    found: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        option = rest.pop(0)
        name, has_value, value = option.removeprefix("--").partition("=")
        is_off = name.startswith(f"no-{prefix}") and not has_value
        name = name.removeprefix("no-") if is_off else name
        if not option.startswith("--") or not name.startswith(prefix) or name == prefix:
            raise UsageFailure(f"{option!r} is not understood", fix="--help lists the options")
        if is_off:
            value = "no"
        elif not has_value:
            if not rest or rest[0].startswith("--"):
                raise UsageFailure(f"--{name} needs a value", fix=f"write --{name} VALUE")
            value = rest.pop(0)
        found[name.removeprefix(prefix)] = value
    return found


def connect(draft: Draft, options: ChannelOptions) -> Plan | None:
    """Put a channel into the draft and try it; None when a person, after it failed, leaves it out.

    Raises UserError or ConfigError when it does not work and nobody can be asked.
    """
    wanted = plan(options.name, options.account)
    refuse_existing(draft, wanted)
    if options.is_asking and wanted.module.manifest.docs:
        say(f"What each of these means: {wanted.module.manifest.docs}")
    before, proposed = dict(draft.values), dict[str, object]()
    while True:
        _take(draft, wanted, options)
        _complete(draft, wanted, options, proposed)
        if not options.is_probed or _try(draft, wanted, options):
            return wanted
        answer = choose("What now", _AFTER_FAILURE, "again")
        if answer == "keep":
            return wanted
        proposed = {key: value for key, value in draft.values.items() if key not in before}
        draft.forget(before)
        if answer == "leave":
            return None


def next_step(wanted: Plan) -> str:
    """Return how the owner gets in."""
    return (
        f"Then write to it on {wanted.module.manifest.name}. It answers with a code; let yourself in with:\n"
        f"  homarus pairing approve {wanted.id} CODE"
    )


def _take(draft: Draft, wanted: Plan, options: ChannelOptions) -> None:
    """Put what was typed as options into the draft."""
    draft.values[f"{wanted.place}.enabled"] = True
    for name, text in options.settings.items():
        is_variable = name.endswith("-env")
        asked = question(wanted, name.removesuffix("-env") if is_variable else name)
        key = f"{wanted.place}.{asked.key}"
        if is_variable:
            draft.values[key] = _reference(draft, text)
        elif asked.kind == "secret":
            raise UserError(
                f"--{name} would show the secret to every user of this machine",
                fix=f"put it into a variable and write --{name}-env NAME",
            )
        else:
            draft.values[key] = read_answer(asked, text)
    for pair in options.more:
        name, has_value, text = pair.partition("=")
        if not has_value:
            raise UsageFailure(f"--set {pair!r} has no value", fix="write --set KEY=VALUE")
        draft.values[f"{wanted.place}.{name}"] = _json5(text)


def _complete(draft: Draft, wanted: Plan, options: ChannelOptions, proposed: Mapping[str, object]) -> None:
    """Ask for what the manifest lists and for what the channel itself misses, until it can be made.

    `proposed` are answers of the round before, by key: they are offered again.
    """
    if options.is_asking:
        for asked in questions(wanted):
            if f"{wanted.place}.{asked.key}" not in draft.values:
                _ask(draft, wanted, asked, proposed.get(f"{wanted.place}.{asked.key}"))
    for _ in range(_MAX_ROUNDS):
        try:
            asyncio.run(_check(draft, wanted))
        except ConfigError as error:
            key = missing_key(error, wanted)
            if key is None or not options.is_asking:
                raise
            warn(error.message)
            _ask(draft, wanted, question(wanted, key))
        else:
            return
    raise UserError(f"{wanted.id} still misses something", fix=f"see {wanted.module.manifest.docs}")


async def _check(draft: Draft, wanted: Plan) -> None:
    await build(draft, wanted, SystemClock()).close()


def _ask(draft: Draft, wanted: Plan, asked: Question, proposed: object = None) -> None:
    key = f"{wanted.place}.{asked.key}"
    if asked.kind == "secret":
        _ask_secret(draft, wanted, asked, key)
        return
    shown = _shown(asked.default if proposed is None else proposed)
    label = f"{asked.label}, separated by commas" if asked.kind == "list" else asked.label
    text = ask(label, shown, lambda answer: read_answer(asked, answer) if answer else None)
    if text and text != _shown(asked.default):
        draft.values[key] = read_answer(asked, text)


def _shown(default: object) -> str:
    if isinstance(default, list):
        return ", ".join(str(item) for item in cast("list[object]", default))
    return "" if default is None else str(default)


def _ask_secret(draft: Draft, wanted: Plan, asked: Question, key: str) -> None:
    name = wanted.variable(asked.key)
    if draft.is_found(name) and confirm(f"Use what is in {name}?", default=True):
        draft.values[key] = f"${{{name}}}"
    elif secret := ask_secret(asked.label):
        draft.values[key] = draft.keep_secret(name, secret)
        say(f"It goes to {draft.dotenv}, which only you can read.")


def _reference(draft: Draft, name: str) -> str:
    if not draft.variable(name):
        raise UserError(f"{name} is not set", fix=f"set it in the environment or in {draft.dotenv}, and try again")
    return f"${{{name}}}"


def _json5(text: str) -> object:
    try:
        return parse(text, file="the value")[0]
    except ConfigError:
        return text


def _ask_chat(name: str) -> str:
    return ask(f"Send a test message on {name} to which chat (empty: none)")


def _try(draft: Draft, wanted: Plan, options: ChannelOptions) -> bool:
    """Tell whether the channel works; what failed is shown. Raises UserError when nobody can be asked what now."""
    name = wanted.module.manifest.name
    test_to = options.test_to
    if options.is_asking and test_to is None:
        test_to = _ask_chat(name)
    say(f"Connecting to {name} ...")
    found = asyncio.run(_probe(draft, wanted, test_to))
    if found.is_ok:
        took = f" ({found.latency_ms} ms)" if found.latency_ms is not None else ""
        say(clean(f"Connected: {found.detail}{took}."))
        if found.unsent is None:
            if test_to:
                say(clean(f"The test message went to {test_to}."))
            return True
        if options.is_asking:
            warn(f"the test message did not go to {test_to}: {found.unsent}")
            return _try(draft, wanted, replace(options, test_to=_ask_chat(name)))
        found = Probed(is_ok=False, detail=f"the test message did not go to {test_to}: {found.unsent}", fix=_NO_TEST)
    if options.is_asking:
        warn(found.detail + (f" ({found.fix})" if found.fix else ""))
        return False
    fix = f"{found.fix}; --no-probe writes it anyway" if found.fix else "correct it, or write it with --no-probe"
    raise UserError(f"{name} does not work: {found.detail}; nothing was changed", fix=fix)


async def _probe(draft: Draft, wanted: Plan, test_to: str | None) -> Probed:
    clock = SystemClock()
    channel = build(draft, wanted, clock)
    message = (Address(wanted.id, wanted.account, test_to), TEST_MESSAGE) if test_to else None
    return await probe(channel, clock, message=message)
