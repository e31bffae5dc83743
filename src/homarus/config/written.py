"""The configuration as it is written: read, with includes and variables put in, not checked against its models yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from homarus.config import environment
from homarus.config.include import Includes, read_text
from homarus.config.issues import ConfigErrors, ConfigIssue, collect
from homarus.config.json5_text import MAX_BYTES, parse
from homarus.config.substitute import substitute
from homarus.discreet import Discreet
from homarus.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from homarus.config.gateway import Gateway

Tree = dict[str, object]


class Written(Discreet, frozen=True):
    """What a file says: `parsed` as written, `tree` with includes, `resolved` with variables, and what is wrong so far.

    `variables` are those of the file, of `.env` beside it and of the environment, the last of which win.
    """

    hidden = frozenset({"parsed", "tree", "resolved", "variables"})

    parsed: Tree
    tree: Tree
    resolved: Tree
    variables: Mapping[str, str]
    warnings: tuple[str, ...]
    files: tuple[Path, ...]
    issues: tuple[ConfigIssue, ...]


def read_written(text: str, path: Path, env: Mapping[str, str]) -> Written:
    """Return what `text` says if it stands in `path`. Raises ConfigErrors or ConfigError when it is no object."""
    if len(text.encode()) > MAX_BYTES:
        raise ConfigError(f"{path} is larger than {MAX_BYTES // 1048576} MiB", fix="keep only settings in it")
    parsed, warnings = parse(text, file=str(path)) if text.strip() else (dict[str, object](), list[str]())
    includes = Includes(root=path.parent)
    written = includes.expand(parsed, path)
    if not isinstance(written, dict):
        raise ConfigErrors(
            [ConfigIssue("", "the file must hold one object", fix="put the settings in { }")], file=str(path)
        )
    tree = cast("Tree", written)
    variables = {**_inline(tree), **environment.read_dotenv(path.parent / ".env"), **env}
    issues = list(includes.issues)
    resolved = cast("Tree", substitute(tree, variables, issues))
    return Written(
        parsed=cast("Tree", parsed) if isinstance(parsed, dict) else tree,
        tree=tree,
        resolved=resolved,
        variables=variables,
        warnings=(*warnings, *includes.warnings),
        files=(path, *includes.files),
        issues=tuple(issues),
    )


def read_gateway(path: Path, env: Mapping[str, str]) -> tuple[Gateway | None, Mapping[str, str]]:
    """Return the `gateway` section alone, None when there is none, and the variables of the file.

    Who only wants to talk to a gateway that runs need not load the models of all else, nor care what is wrong there.
    Raises ConfigErrors when the section is wrong, ConfigError when the file cannot be read.
    """
    written = read_written(read_text(path), path, env)
    section = written.resolved.get("gateway")
    if section is None:
        return None, written.variables
    from pydantic import ValidationError  # noqa: PLC0415 - 50 ms that a file without the section never needs

    from homarus.config.gateway import Gateway  # noqa: PLC0415 - likewise
    from homarus.config.secret_resolver import SourceResolver  # noqa: PLC0415 - likewise

    resolver = SourceResolver(written.resolved.get("secrets"), written.variables, path.parent)
    try:
        return Gateway.model_validate(section, context=resolver), written.variables
    except ValidationError as error:
        raise ConfigErrors(collect(error, written.tree, ("gateway",)), file=str(path)) from None


def _inline(tree: Tree) -> dict[str, str]:
    """Return the variables the file itself defines under `env`."""
    section = tree.get("env")
    if not isinstance(section, dict):
        return {}
    inline = cast("Tree", section)
    nested = inline.get("vars")
    every = {**inline, **(cast("Tree", nested) if isinstance(nested, dict) else {})}
    return {name: value for name, value in every.items() if isinstance(value, str) and "${" not in value}
