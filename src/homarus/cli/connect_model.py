"""The step of `homarus onboard` that connects a model: by questions, or by options alone."""

from __future__ import annotations

import asyncio

from msgspec import Struct

from homarus.cli.prompts import ask, ask_secret, choose, confirm, heading
from homarus.cli.screen import clean, paint, say
from homarus.clock import SystemClock
from homarus.errors import UserError
from homarus.models.providers import KNOWN_PROVIDERS
from homarus.ops.draft import Draft
from homarus.ops.model_setup import (
    BASIC,
    CUSTOM,
    PROVIDERS,
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
from homarus.ops.model_trial import Trial, try_model

_SHOWN_MODELS = 12


class ModelOptions(Struct, frozen=True):
    """What was typed on the command line about the model; None leaves it open."""

    provider: str | None = None
    key_variable: str | None = None
    base_url: str | None = None
    model: str | None = None
    is_tested: bool = True


class _Answered(Struct, frozen=True):
    """What was answered in the round before, which is offered again."""

    provider: str = BASIC
    address: str | None = None
    model: str | None = None


def connect_by_options(draft: Draft, options: ModelOptions) -> None:
    """Put the model into the draft. Raises UserError when something is missing or the model does not answer."""
    provider = options.provider or BASIC
    _check_provider(provider)
    if provider == BASIC:
        draft.values |= basic_values(draft)
        return
    key = _reference(draft, provider, options.key_variable)
    server = server_of(draft, provider, options.base_url, key)
    offers = asyncio.run(list_offers(server))
    model = options.model or propose(server, offers)
    if model is None:
        listed = ", ".join(offer.id for offer in offers[:_SHOWN_MODELS])
        fix = f"add --model NAME; {server.base_url} lists: {listed}" if listed else "add --model NAME"
        raise UserError(f"which model of {provider} shall answer?", fix=fix)
    draft.values |= model_values(draft, server, model, offers)
    if not options.is_tested:
        return
    trial = asyncio.run(try_model(draft.preview(), SystemClock()))
    if trial.is_ok:
        _show(trial)
    else:
        raise UserError(f"{trial.detail}; nothing was changed", fix=f"{trial.fix}; --no-test writes it anyway")


def connect_by_questions(draft: Draft, options: ModelOptions) -> None:
    """Ask for the model until one answers, or the person keeps one that does not, or the built-in rules."""
    heading("1. The model that answers")
    answered = _Answered()
    while True:
        before = dict(draft.values)
        provider = options.provider or _ask_provider(answered.provider)
        _check_provider(provider)
        if provider == BASIC:
            draft.values |= basic_values(draft)
            say("Built-in rules will answer: files, time, notes, calculations; no key, no cost.")
            return
        before_this = answered if provider == answered.provider else _Answered(provider)
        server = _ask_server(draft, provider, options, before_this.address)
        offers = asyncio.run(list_offers(server))
        model = options.model or _ask_model(server, offers, before_this.model)
        draft.values |= model_values(draft, server, model, offers)
        if not options.is_tested or _try(draft).is_ok:
            return
        if confirm("Keep it all the same?", default=False):
            return
        draft.forget(before)
        options = ModelOptions(is_tested=options.is_tested)
        answered = _Answered(provider, server.base_url if provider == CUSTOM else None, model)


def _ask_provider(default: str) -> str:
    rows = [(BASIC, "built-in rules: no key, works at once")]
    known = KNOWN_PROVIDERS.values()
    rows += [(each.id, each.name if each.key_name else f"{each.name}, on this machine") for each in known]
    rows.append((CUSTOM, "any other server that speaks OpenAI chat completions"))
    return choose("Provider", rows, default)


def _ask_server(draft: Draft, provider: str, options: ModelOptions, before: str | None) -> Server:
    address, proposed = options.base_url, asked_address(provider)
    if address is None and proposed is not None:
        address = ask("Address, up to /v1", before or proposed, lambda text: server_of(draft, provider, text))
    return server_of(draft, provider, address, _ask_key(draft, provider, options.key_variable))


def _ask_key(draft: Draft, provider: str, variable: str | None) -> str | None:
    """Return the reference to the key, None for a server that wants none."""
    row = KNOWN_PROVIDERS.get(provider)
    name = variable or key_name(provider)
    if name is None:
        return None
    if draft.is_found(name) and (variable or confirm(f"Use the key in {name}?", default=True)):
        return f"${{{name}}}"
    if draft.is_inherited(name):
        name = f"HOMARUS_{name}"
    label = "API key" if row else "API key, empty for none"
    secret = ask_secret(label)
    if not secret:
        if row is None:
            return None
        raise UserError(f"{row.name} needs an API key; nothing was changed", fix=f"set {name}, or choose another one")
    reference = draft.keep_secret(name, secret)
    say(f"The key goes to {draft.dotenv}, which only you can read; the configuration refers to it as {reference}.")
    return reference


def _ask_model(server: Server, offers: tuple[Offer, ...], before: str | None) -> str:
    names = [offer.id for offer in offers]
    if names:
        rest = f" and {len(names) - _SHOWN_MODELS} more" if len(names) > _SHOWN_MODELS else ""
        say(clean(f"Models of {server.provider}: {', '.join(names[:_SHOWN_MODELS])}{rest}"))
    else:
        say(f"{server.base_url} does not list its models.")

    return ask("Model", before or propose(server, offers) or "", expect_model_name)


def _try(draft: Draft) -> Trial:
    say("Asking it something small ...")
    trial = asyncio.run(try_model(draft.preview(), SystemClock()))
    _show(trial)
    return trial


def _show(trial: Trial) -> None:
    if trial.is_ok:
        answer = trial.detail or "nothing visible, which reasoning models do with a small limit"
        say(clean(f"{trial.ref} answered in {trial.latency_ms} ms: {answer}"))
    else:
        say(f"{paint('It did not work:', 'red')} {clean(trial.detail)}")
        say(clean(f"fix: {trial.fix}"))


def _check_provider(provider: str) -> None:
    if provider not in PROVIDERS:
        raise UserError(f"there is no provider {provider!r}", fix=f"choose one of: {', '.join(PROVIDERS)}")


def _reference(draft: Draft, provider: str, variable: str | None) -> str | None:
    row = KNOWN_PROVIDERS.get(provider)
    name = variable or (row.key_name if row else None)
    if name is None:
        return None
    if not draft.variable(name):
        raise UserError(f"{name} is not set", fix=f"set it in the environment or in {draft.dotenv}, and try again")
    return f"${{{name}}}"
