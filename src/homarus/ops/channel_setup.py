"""Connecting any channel: what to ask for and what is still missing, read from its manifest, model and `create`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Literal, get_args

from msgspec import Struct
from pydantic import SecretStr
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from homarus.channels import registry
from homarus.channels.contract import Channel
from homarus.channels.policy_config import DEFAULT_ACCOUNT
from homarus.channels.registry import ChannelModule
from homarus.clock import Clock
from homarus.errors import ConfigError, UserError
from homarus.gateway.channel_sections import channel_sections
from homarus.ops.draft import Draft

Kind = Literal["text", "list", "number", "flag", "secret"]
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_TRUE, _FALSE = frozenset({"y", "yes", "true", "on", "1"}), frozenset({"n", "no", "false", "off", "0"})


class Question(Struct, frozen=True):
    """One key of a channel's section. `default` is what an empty answer means, None when there is no default."""

    key: str
    label: str
    kind: Kind
    default: object = None


class Plan(Struct, frozen=True):
    """A channel account that is being connected."""

    module: ChannelModule
    account: str = DEFAULT_ACCOUNT

    @property
    def id(self) -> str:
        """Return the id of the channel."""
        return self.module.manifest.id

    @property
    def place(self) -> str:
        """Return the key of the account's settings."""
        whole = f"channels.{self.id}"
        return whole if self.account == DEFAULT_ACCOUNT else f"{whole}.accounts.{self.account}"

    def variable(self, key: str) -> str:
        """Return the name of the variable for a secret, such as TELEGRAM_BOT_TOKEN."""
        account = () if self.account == DEFAULT_ACCOUNT else (self.account,)
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", "_".join((self.id, *account, key)))
        return re.sub(r"[^A-Z0-9]+", "_", words.upper())


def names() -> tuple[str, ...]:
    """Return the channels that can be connected: all that reach a network."""
    return tuple(name for name, each in registry.manifests().items() if not each.capabilities.is_transcript)


def plan(name: str, account: str | None = None) -> Plan:
    """Return the plan for a channel. Raises UserError for a name that is none, ConfigError for a missing package."""
    if name not in names():
        close = difflib.get_close_matches(name, names(), n=1)
        fix = f"did you mean {close[0]}?" if close else f"choose one of: {', '.join(names())}"
        raise UserError(f"there is no channel {name!r}", fix=fix)
    if account is not None and not _ACCOUNT.fullmatch(account):
        raise UserError(f"{account!r} cannot name an account", fix="use lower case letters, digits, - and _")
    return Plan(registry.load(name), account or DEFAULT_ACCOUNT)


def questions(wanted: Plan) -> tuple[Question, ...]:
    """Return what to ask for, as the manifest says."""
    return tuple(question(wanted, key) for key in wanted.module.manifest.setup)


def question(wanted: Plan, name: str) -> Question:
    """Return the question for one key, written as in the file, or as an option (`bot-token`).

    A short form such as `token` is understood when it ends exactly one of the keys that are asked for. Raises UserError
    with the nearest key for one that does not exist.
    """
    fields = {field.alias or to_camel(item): field for item, field in wanted.module.config_model.model_fields.items()}
    key = to_camel(name.replace("-", "_"))
    if key not in fields:
        short = [each for each in wanted.module.manifest.setup if each.endswith(key[:1].upper() + key[1:])]
        if len(short) != 1:
            close = difflib.get_close_matches(key, fields, n=1)
            hint = f"did you mean {close[0]}?" if close else f"see {wanted.module.manifest.docs}"
            raise UserError(f"{wanted.id} has no key {key!r}", fix=hint)
        key = short[0]
    field = fields[key]
    default: object = None if field.is_required() else field.get_default(call_default_factory=True)
    label = f"{wanted.module.manifest.name} {re.sub(r'(?<=[a-z])(?=[A-Z])', ' ', key).lower()}"
    return Question(key, label, _kind(field), default)


def read_answer(asked: Question, text: str) -> object:
    """Return the value of an answer. Raises UserError for one that is not of the question's kind."""
    text = text.strip()
    if asked.kind == "list":
        return [item.strip() for item in text.split(",") if item.strip()]
    if asked.kind == "number":
        try:
            return int(text)
        except ValueError:
            raise UserError(f"{asked.key} must be a whole number, not {text!r}", fix="write digits") from None
    if asked.kind == "flag":
        if text.lower() not in _TRUE | _FALSE:
            raise UserError(f"{asked.key} must be yes or no, not {text!r}", fix="write yes or no")
        return text.lower() in _TRUE
    return text


def refuse_existing(draft: Draft, wanted: Plan) -> None:
    """Raise UserError when the account is configured already: adding must not change what somebody set up."""
    whole = wanted.place.partition(".accounts.")[0]
    section = draft.written(whole)
    if section is None or (wanted.account != DEFAULT_ACCOUNT and draft.written(wanted.place) is None):
        return
    raise UserError(
        f"{wanted.id} is configured already",
        fix=f"change it with `homarus config set {wanted.place}.KEY VALUE`, add another account with --account NAME, "
        f"or begin anew after `homarus channels remove {wanted.id}`",
    )


def build(draft: Draft, wanted: Plan, clock: Clock) -> Channel:
    """Return the channel as the draft describes it, checked by the channel's own model; opens no connection.

    Raises ConfigErrors or ConfigError, whose path begins with the plan's place.
    """
    sections = channel_sections(draft.preview())
    if wanted.id not in sections:
        raise ConfigError(f"{wanted.id} is switched off", path=f"{wanted.place}.enabled", fix="set enabled to true")
    return wanted.module.create(sections[wanted.id], wanted.account, clock)


def missing_key(error: ConfigError, wanted: Plan) -> str | None:
    """Return the key of the plan's account that an error is about, None when it is about something else."""
    inside = error.path.removeprefix(f"{wanted.place}.")
    key = inside.partition(".")[0].partition("[")[0]
    has_key = inside != error.path and key in {
        field.alias or to_camel(item) for item, field in wanted.module.config_model.model_fields.items()
    }
    return key if has_key else None


def _kind(field: FieldInfo) -> Kind:
    types = set(_leaves(field.annotation))
    if SecretStr in types:
        return "secret"
    if list in types:
        return "list"
    return "flag" if bool in types else "number" if int in types and str not in types else "text"


def _leaves(annotation: object) -> Iterator[object]:
    """Yield the plain types that an annotation is made of."""
    origin = getattr(annotation, "__origin__", None)
    yield origin if isinstance(origin, type) else annotation
    for part in get_args(annotation):
        yield from _leaves(part)
