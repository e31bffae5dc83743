"""`secrets`: named sources of secret references."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from homarus.config.base import Many, Section, Text, section

VariableName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,127}$")]
Milliseconds = Annotated[int, Field(gt=0, le=120_000)]
Bytes = Annotated[int, Field(gt=0, le=20_971_520)]
ProviderName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]


class EnvSource(Section):
    """Secrets in environment variables."""

    source: Literal["env"]
    """Selects this source."""
    allowlist: Annotated[Many[VariableName], Field(max_length=256)] | None = None
    """Variables that may be read; unset: any."""


class FileSource(Section):
    """Secrets in a file."""

    source: Literal["file"]
    """Selects this source."""
    path: Text
    """The file; relative paths start at the folder of the configuration."""
    mode: Literal["singleValue", "json"] = "json"
    """The whole file is the value, or the id is a JSON pointer into it."""
    timeout_ms: Milliseconds | None = None
    """Time limit, milliseconds."""
    max_bytes: Bytes = 1_048_576
    """Largest file read."""


class ExecSource(Section):
    """Secrets printed by a program; accepted in the file, refused when used."""

    source: Literal["exec"]
    """Selects this source."""
    command: Text
    """Program."""
    args: Annotated[Many[str], Field(max_length=128)] = ()
    """Arguments."""
    timeout_ms: Milliseconds | None = None
    """Time limit, milliseconds."""
    no_output_timeout_ms: Milliseconds | None = None
    """Silence limit, milliseconds."""
    max_output_bytes: Bytes | None = None
    """Largest output."""
    json_only: bool | None = None
    """Output must be JSON."""
    env: dict[str, str] = section()
    """Variables given to the program."""
    pass_env: Annotated[Many[VariableName], Field(max_length=128)] = ()
    """Variables passed on."""
    trusted_dirs: Annotated[Many[Text], Field(max_length=64)] = ()
    """Folders the program may live in."""
    allow_insecure_path: bool | None = None
    """Skip permission checks of the program."""
    allow_symlink_command: bool | None = None
    """The program may be a symbolic link."""


SecretSource = Annotated[EnvSource | FileSource | ExecSource, Field(discriminator="source")]


class DefaultSources(Section):
    """Preferred provider per source."""

    env: ProviderName | None = None
    """Provider of source env."""
    file: ProviderName | None = None
    """Provider of source file."""
    exec: ProviderName | None = None
    """Provider of source exec."""


class ResolutionLimits(Section):
    """Limits of resolving references."""

    max_provider_concurrency: Annotated[int, Field(gt=0, le=16)] | None = None
    """Lookups of one provider at the same time."""
    max_refs_per_provider: Annotated[int, Field(gt=0, le=4096)] | None = None
    """References per provider."""
    max_batch_bytes: Annotated[int, Field(gt=0, le=5_242_880)] | None = None
    """Bytes per batch."""


class Secrets(Section):
    """Where secret references are resolved."""

    providers: dict[str, SecretSource] = section()
    """Named sources."""
    defaults: DefaultSources = section()
    """Preferred provider per source."""
    resolution: ResolutionLimits = section()
    """Limits of resolving references."""
