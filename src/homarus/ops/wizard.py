"""What `homarus onboard` asks, asked over a connection: a model, a channel; written at the end, at once."""

from __future__ import annotations

from pathlib import Path

from homarus.clock import SystemClock
from homarus.config.paths import StateDir
from homarus.errors import ConfigError, UserError
from homarus.gateway.wizard import Asker, Choice, Flow
from homarus.models.providers import KNOWN_PROVIDERS
from homarus.ops.channel_setup import Plan, Question, build, names, plan, questions, read_answer, refuse_existing
from homarus.ops.draft import Draft
from homarus.ops.model_setup import (
    BASIC,
    CUSTOM,
    Offer,
    Server,
    asked_address,
    basic_values,
    expect_model_name,
    key_name,
    list_offers,
    model_values,
    propose,
    server_of,
)
from homarus.ops.model_trial import try_model

SHOWN_MODELS = 50
_NONE = "none"
_OTHER = "another"


def flow_of(state: StateDir, workspace: str | None) -> Flow:
    """Return the questions of one run. `workspace` becomes the default agent's folder."""

    async def follow(asker: Asker) -> None:
        await _set_up(asker, Draft(state), workspace)

    return follow


async def _set_up(asker: Asker, draft: Draft, workspace: str | None) -> None:
    await asker.note("Setting up Homarus", "A model that answers, a chat channel. Nothing is written before the end.")
    if workspace is not None:
        draft.values["agents.defaults.workspace"] = _folder(workspace)
    await _choose_model(asker, draft)
    await _choose_channel(asker, draft)
    keys = ", ".join(draft.values)
    if await asker.confirm(f"Write this to the configuration? ({keys})", initial=True):
        draft.commit()
    else:
        raise UserError("nothing was written", fix="start again")


async def _choose_model(asker: Asker, draft: Draft) -> None:
    rows = [Choice(BASIC, "Built-in rules", "no key, no cost, works at once")]
    known = KNOWN_PROVIDERS.values()
    rows += [Choice(each.id, each.name, "" if each.key_name else "on this machine") for each in known]
    rows.append(Choice(CUSTOM, "Another server", "anything that speaks OpenAI chat completions"))
    while True:
        before = dict(draft.values)
        provider = await asker.select("Which model answers?", rows, BASIC)
        if provider == BASIC:
            draft.values |= basic_values(draft)
            return
        server = await _ask_server(asker, draft, provider)
        offers = await list_offers(server)
        model = await _ask_model(asker, server, offers)
        draft.values |= model_values(draft, server, model, offers)
        trial = await try_model(draft.preview(), SystemClock())
        if trial.is_ok or await asker.confirm(
            f"It did not answer: {trial.detail}. {trial.fix}. Keep it all the same?", initial=False
        ):
            return
        draft.values = before


async def _ask_server(asker: Asker, draft: Draft, provider: str) -> Server:
    address = asked_address(provider)
    if address is not None:
        address = await asker.text(
            "Address of the server", address, check=lambda text: server_of(draft, provider, text)
        )
    name = key_name(provider)
    key = None if name is None else await _ask_key(asker, draft, name, is_needed=provider != CUSTOM)
    return server_of(draft, provider, address, key)


async def _ask_key(asker: Asker, draft: Draft, name: str, *, is_needed: bool) -> str | None:
    """Return the reference to a key, None for a server that wants none."""
    if draft.variable(name) and await asker.confirm(f"Use the key in {name}?", initial=True):
        return f"${{{name}}}"

    def check(text: str) -> None:
        if is_needed and not text:
            raise UserError("a key is needed")

    secret = await asker.text("API key" if is_needed else "API key, empty for none", is_secret=True, check=check)
    if not secret:
        return None
    return draft.keep_secret(f"HOMARUS_{name}" if draft.variable(name) else name, secret)


async def _ask_model(asker: Asker, server: Server, offers: tuple[Offer, ...]) -> str:
    if offers:
        rows = [Choice(offer.id, offer.id) for offer in offers[:SHOWN_MODELS]]
        initial = propose(server, offers) or offers[0].id
        chosen = await asker.select("Which of its models?", [*rows, Choice(_OTHER, "Another one")], initial)
        if chosen != _OTHER:
            return chosen
    return await asker.text("Name of the model", propose(server, offers) or "", check=expect_model_name)


async def _choose_channel(asker: Asker, draft: Draft) -> None:
    rows = [Choice(_NONE, "None for now", "the browser and the terminal are enough")]
    name = await asker.select("Connect a chat channel?", [*rows, *(Choice(each, each) for each in names())], _NONE)
    if name == _NONE:
        return
    wanted = plan(name)
    refuse_existing(draft, wanted)
    before = dict(draft.values)
    for asked in questions(wanted):
        await _ask_channel_key(asker, draft, wanted, asked)
    try:
        await build(draft, wanted, SystemClock()).close()
    except ConfigError as error:
        draft.values = before
        await asker.note("The channel was left out", f"{error.path}: {error.message}. {error.fix}")


async def _ask_channel_key(asker: Asker, draft: Draft, wanted: Plan, asked: Question) -> None:
    def check(text: str) -> None:
        if text:
            read_answer(asked, text)

    if asked.kind == "secret":
        secret = await asker.text(asked.label, is_secret=True)
        if secret:
            draft.values[f"{wanted.place}.{asked.key}"] = draft.keep_secret(wanted.variable(asked.key), secret)
        return
    initial = "" if asked.default in (None, [], ()) else str(asked.default)
    text = await asker.text(asked.label, initial, check=check)
    if text:
        draft.values[f"{wanted.place}.{asked.key}"] = read_answer(asked, text)


def _folder(named: str) -> str:
    if not Path(named).expanduser().is_absolute():
        raise UserError(f"the workspace {named[:200]!r} is no absolute path", fix="begin it with / or ~")
    return named
