"""From a file to a checked configuration; every problem is reported at once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from msgspec.structs import replace
from pydantic import ValidationError

from homarus.config import environment
from homarus.config.checks import check
from homarus.config.include import read_text
from homarus.config.issues import ConfigErrors, ConfigIssue, collect, dotted, unknown_key
from homarus.config.schema import Config
from homarus.config.secret import Secret
from homarus.config.secret_resolver import SourceResolver
from homarus.config.written import Tree, read_written
from homarus.discreet import Discreet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic import BaseModel

    from homarus.config.secret import SecretResolver

    Judge = Callable[[Mapping[str, Mapping[str, object]], SecretResolver], Sequence[ConfigIssue]]

_NO_CHANNELS = ("defaults", "modelByChannel")


class LoadedConfig(Discreet, frozen=True):
    """A checked configuration and where it came from.

    `parsed` is the file as written, `written` the same with includes, before variables; both may hold secrets, so
    show them only through `redact`. `hash` is the SHA-256 of `raw_text` in hex. `files` are all files that were read.
    """

    hidden = frozenset({"raw_text", "parsed", "written", "env", "secrets"})

    config: Config
    raw_text: str
    parsed: Tree
    written: Tree
    hash: str
    path: Path
    exists: bool
    warnings: tuple[str, ...]
    files: tuple[Path, ...]
    env: Mapping[str, str]
    secrets: SecretResolver
    is_recovered: bool = False


def load(path: Path, env: Mapping[str, str], judge: Judge | None = None) -> LoadedConfig:
    """Return the configuration in `path`, or the defaults when the file does not exist.

    `judge` looks at the sections of channels, whose models are not known here. Raises ConfigErrors with everything
    that is wrong, ConfigError when the file cannot be read.
    """
    exists = path.exists()
    return load_text(read_text(path) if exists else "", path, env, exists=exists, judge=judge)


def load_text(
    text: str, path: Path, env: Mapping[str, str], *, exists: bool = True, judge: Judge | None = None
) -> LoadedConfig:
    """Return the configuration that `text` would be if it stood in `path`. Raises as `load` does."""
    written = read_written(text, path, env)
    resolved, variables, issues = written.resolved, written.variables, list(written.issues)
    resolver = SourceResolver(resolved.get("secrets"), variables, path.parent)
    config = _validate(resolved, written.tree, resolver, issues)
    if judge is not None:
        issues.extend(_judged(resolved, resolver, judge, issues))
    if config is None or issues:
        raise ConfigErrors(issues, file=str(path))
    return LoadedConfig(
        config=_with_credentials(config, variables),
        raw_text=text,
        parsed=written.parsed,
        written=written.tree,
        hash=hashlib.sha256(text.encode()).hexdigest(),
        path=path,
        exists=exists,
        warnings=written.warnings,
        files=written.files,
        env=variables,
        secrets=resolver,
    )


def _validate(resolved: Tree, written: Tree, resolver: SecretResolver, issues: list[ConfigIssue]) -> Config | None:
    try:
        config = Config.model_validate(resolved, context=resolver)
    except ValidationError as error:
        unset = {issue.path for issue in issues}
        issues.extend(issue for issue in collect(error, written) if issue.path not in unset)
        return None
    issues.extend(check(config, resolved))
    return config


def _judged(resolved: Tree, resolver: SecretResolver, judge: Judge, known: Sequence[ConfigIssue]) -> list[ConfigIssue]:
    """Return what `judge` finds wrong with the sections of channels, without what is known at the same place."""
    written = resolved.get("channels")
    if not isinstance(written, dict):
        return []
    every = cast("Tree", written)
    sections = {
        name: cast("Tree", section)
        for name, section in every.items()
        if name not in _NO_CHANNELS and isinstance(section, dict)
    }
    places = [issue.path for issue in known]
    found = judge(sections, resolver)
    return [each for each in found if not any(f"{place}.".startswith(f"{each.path}.") for place in places)]


def _with_credentials(config: Config, env: Mapping[str, str]) -> Config:
    """Let the environment override the credentials of the gateway."""
    found = {
        "token": environment.first_set(env, environment.GATEWAY_TOKEN),
        "password": environment.first_set(env, environment.GATEWAY_PASSWORD),
    }
    changed = {name: Secret(value) for name, value in found.items() if value is not None}
    if not changed:
        return config
    auth = config.gateway.auth.model_copy(update=changed)
    return config.model_copy(update={"gateway": config.gateway.model_copy(update={"auth": auth})})


def read_channels(
    sections: Mapping[str, Mapping[str, object]], models: Mapping[str, type[BaseModel]], secrets: SecretResolver | None
) -> tuple[dict[str, BaseModel], list[ConfigIssue]]:
    """Return the sections of channels as their channels' own models, and everything that is wrong with others.

    `models` maps channel ids to their models, `secrets` is `LoadedConfig.secrets`. Sections of channels that are not
    in `models` but that OpenClaw knows are left out (`unused_keys` lists them).
    """
    from homarus.config.channels import KNOWN_CHANNELS  # noqa: PLC0415 - only a file with channels needs the module

    found: dict[str, BaseModel] = {}
    issues: list[ConfigIssue] = []
    for name, raw in sections.items():
        if name not in models:
            if name not in KNOWN_CHANNELS:
                issues.append(_unknown_channel(name, [*models, *KNOWN_CHANNELS]))
            continue
        try:
            found[name] = models[name].model_validate(raw, context=secrets)
        except ValidationError as error:
            keys = [field.alias or key for key, field in models[name].model_fields.items()]
            issues.extend(_below(name, collect(error, raw, known=keys)))
    return found, issues


def _below(channel: str, issues: Sequence[ConfigIssue]) -> list[ConfigIssue]:
    head = dotted(("channels", channel))
    return [replace(issue, path=f"{head}.{issue.path}" if issue.path else head) for issue in issues]


def _unknown_channel(name: str, known: Sequence[str]) -> ConfigIssue:
    issue = unknown_key(("channels", name), known)
    return replace(issue, message="unknown channel")
