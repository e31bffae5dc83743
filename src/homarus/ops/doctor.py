"""The doctor: looks at everything an installation needs and says what to do about what is missing. Changes nothing."""

from __future__ import annotations

import asyncio
import shutil
import socket
import sys
from collections.abc import Awaitable, Iterable
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from homarus.clock import SystemClock
from homarus.config.issues import ConfigErrors, ConfigIssue
from homarus.config.load import LoadedConfig, load
from homarus.config.paths import MIN_FREE_BYTES, StateDir
from homarus.errors import ConfigError, HomarusError, StorageError
from homarus.gateway.channel_sections import channel_sections, section_issues
from homarus.gateway.http.page import STATIC
from homarus.gateway.port_owner import port_owner
from homarus.models.catalogue import Catalogue
from homarus.models.configured import settings_from_config
from homarus.models.discovery import discover_local
from homarus.models.http import HttpClient, HttpFailure
from homarus.sandbox.registry import Unavailable, backends, select
from homarus.sandbox.selftest import check_bubblewrap
from homarus.storage.inspection import Inspection, inspect_file, inspect_server
from homarus.storage.lock import find_holder

if TYPE_CHECKING:
    from pathlib import Path

State = Literal["ok", "warning", "problem"]

CHECK_SECONDS: Final = 60.0
"""Longest time one check may take."""


class Finding(Struct, frozen=True):
    """What one check found. `fix` is the command or change that helps."""

    name: str
    state: State
    detail: str
    fix: str | None = None


async def examine(state: StateDir) -> list[Finding]:
    """Run every check that needs no running gateway and return all findings, in a fixed order."""
    findings = [check_python(), *check_state_folder(state)]
    loaded, about_config = check_config(state)
    findings += about_config
    if loaded is not None:
        findings += await _guarded("database", check_database(state, loaded))
        findings += await _guarded("model", check_model(loaded))
        findings += check_channels(loaded)
        findings.append(check_port(loaded, state))
        findings.append(check_security(state))
    findings += await _guarded("sandbox", check_sandbox())
    findings.append(check_page())
    return findings


async def _guarded(name: str, check: Awaitable[list[Finding]]) -> list[Finding]:
    """Return the findings of a check; one that fails or hangs is a finding itself."""
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check
    except TimeoutError:
        return [Finding(name, "problem", f"the check did not end within {CHECK_SECONDS:.0f} s")]
    except HomarusError as error:
        return [Finding(name, "problem", error.message, error.fix)]


def check_python() -> Finding:
    """Tell which interpreter runs this."""
    return Finding("python", "ok", f"Python {'.'.join(map(str, sys.version_info[:3]))}, {sys.executable}")


def check_state_folder(state: StateDir) -> list[Finding]:
    """Check that the state folder can be written, is private, and has room."""
    existing = next(folder for folder in (state.root, *state.root.parents) if folder.exists())
    if not state.root.exists():
        return [Finding("state", "ok", f"{state.root} will be made at the first start"), *_check_room(existing)]
    try:
        state.create()
    except ConfigError as error:
        return [Finding("state", "problem", error.message, error.fix)]
    findings = [Finding("state", "ok", f"{state.root} can be written")]
    if state.root.stat().st_mode & 0o077:
        fix = f"chmod 700 {state.root}"
        findings = [Finding("state", "warning", f"other users can look into {state.root}", fix)]
    return findings + _check_room(existing)


def _check_room(folder: Path) -> list[Finding]:
    free = shutil.disk_usage(folder).free
    if free >= MIN_FREE_BYTES:
        return []
    detail = f"only {free // 1024 // 1024} MiB are free on the disk of {folder}"
    return [Finding("disk", "warning", detail, "free some space, or set HOMARUS_HOME to a folder on another disk")]


def check_config(state: StateDir) -> tuple[LoadedConfig | None, list[Finding]]:
    """Check the configuration; returns it when it is valid, with the findings about it."""
    try:
        loaded = load(state.config_file, state.env)
    except ConfigErrors as error:
        return None, [
            _issue(f"{each.path}: {each.message}".removeprefix(": "), each.fix) for each in _all(state, error)
        ]
    except ConfigError as error:
        return None, [_issue(error.message, error.fix)]
    what = f"{loaded.path} is valid" if loaded.exists else f"{loaded.path} does not exist; the defaults count"
    warnings = [Finding("config", "warning", warning) for warning in loaded.warnings]
    return loaded, [Finding("config", "ok", what), *warnings]


def _all(state: StateDir, error: ConfigErrors) -> tuple[ConfigIssue, ...]:
    """Return what is wrong with a configuration, the sections of its channels included."""
    try:
        load(state.config_file, state.env, section_issues)
    except ConfigErrors as every:
        return every.issues
    return error.issues


def _issue(message: str, fix: str | None) -> Finding:
    return Finding("config", "problem", message, fix or "homarus config validate")


async def check_database(state: StateDir, loaded: LoadedConfig) -> list[Finding]:
    """Check that the database can be read, is intact, and is not from a newer version."""
    url = loaded.config.storage.url
    try:
        if url is not None:
            found = await asyncio.to_thread(inspect_server, url.reveal())
        else:
            found = await asyncio.to_thread(inspect_file, state.database)
    except StorageError as error:
        fix = error.fix if url is not None else _how_to_restore(state)
        return [Finding("database", "problem", error.message, fix)]
    return [_describe_database(found)]


def _how_to_restore(state: StateDir) -> str:
    """Return what brings a damaged database back: the newest backup, else the copy from before an upgrade."""
    archive = max(state.backups.glob("backup-*.tar.gz"), default=None)
    if archive is not None:
        return f"stop the gateway, then homarus backup restore {archive}"
    copy = max(state.backups.glob("homarus-*"), default=None)
    if copy is not None:
        return f"stop the gateway and put {copy} in its place"
    return "stop the gateway, then homarus backup restore FILE; without a backup move the file away to begin anew"


def _describe_database(found: Inspection) -> Finding:
    if found.revision is None:
        return Finding("database", "ok", f"{found.where}; its tables will be made at the first start")
    if found.is_current:
        size = "" if found.size is None else f", {found.size / 1e6:,.1f} MB"
        return Finding("database", "ok", f"{found.where} is intact{size}")
    if found.is_known:
        return Finding("database", "ok", f"{found.where} will be upgraded at the next start, after a backup")
    detail = f"{found.where} has the schema {found.revision}, which this version does not know"
    fix = "install the Homarus that wrote it, or point storage.url or HOMARUS_HOME at another database"
    return Finding("database", "problem", detail, fix)


async def check_model(loaded: LoadedConfig) -> list[Finding]:
    """Check that the default model exists, and that its server can be reached."""
    settings = settings_from_config(loaded.config, loaded.env)
    http = HttpClient()
    try:
        catalogue = Catalogue(settings, http, SystemClock())
        await discover_local(http, catalogue.add_found)
        info = catalogue.resolve(None).info
        if info.provider == "homarus":
            return [_basic(info.ref, [each.ref for each in catalogue.list_models() if each.provider != "homarus"])]
        base = next((each.base_url for each in settings.providers if each.id == info.provider), None)
        return [Finding("model", "ok", info.ref)] if base is None else [await _reach(http, info.ref, base)]
    finally:
        await http.close()


def _basic(ref: str, others: list[str]) -> Finding:
    if not others:
        return Finding("model", "ok", f"{ref} answers by rules, without a key; docs/quickstart.md connects a model")
    fix = f"homarus config set agents.defaults.model.primary {others[0]}"
    return Finding("model", "ok", f"{ref} answers by rules; {', '.join(others[:3])} could be used", fix)


async def _reach(http: HttpClient, ref: str, base_url: str) -> Finding:
    try:
        async with http.get(base_url, within=5.0):
            return Finding("model", "ok", f"{ref}; {base_url} answers")
    except HttpFailure as error:
        return Finding("model", "problem", f"{ref}: {base_url} {error.message}", "check the address and the network")


def check_channels(loaded: LoadedConfig) -> list[Finding]:
    """Check the section of every channel against the channel's own model."""
    try:
        sections = channel_sections(loaded)
    except ConfigErrors as error:
        return [Finding("channels", "problem", f"{each.path}: {each.message}", each.fix) for each in error.issues]
    except ConfigError as error:
        return [Finding("channels", "problem", f"{error.path}: {error.message}", error.fix)]
    return [Finding("channels", "ok", f"configured: {', '.join(sections)}")]


def check_port(loaded: LoadedConfig, state: StateDir) -> Finding:
    """Check that the port is free, or held by the gateway of this state folder."""
    port = loaded.config.gateway.port
    holder = find_holder(state.root)
    if holder is not None:
        return Finding("port", "ok", f"a gateway runs here ({holder})")
    if _is_free(port):
        return Finding("port", "ok", f"{port} is free")
    owner = port_owner(port) or "another process"
    fix = f"stop it, or choose another port: homarus config set gateway.port {port + 1}"
    return Finding("port", "problem", f"{port} is taken by {owner}", fix)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


async def check_sandbox() -> list[Finding]:
    """Check that commands run in a sandbox, and that attacks from inside it fail."""
    chosen = await select(backends(SystemClock()))
    if isinstance(chosen, Unavailable):
        detail = f"{chosen.reason}; the assistant cannot run commands, everything else works"
        return [Finding("sandbox", "warning", detail, chosen.fix)]
    attacks = await check_bubblewrap()
    failed = [f"{each.name}: {each.detail}" for each in attacks if not each.is_blocked]
    if failed:
        fix = 'set tools.deny to ["exec"] until this is repaired, and report it'
        return [Finding("sandbox", "problem", f"{chosen.name} lets through {'; '.join(failed)}", fix)]
    unproven = sum(not each.is_proven for each in attacks)
    note = f"; {unproven} would fail outside, too, and prove nothing" if unproven else ""
    return [Finding("sandbox", "ok", f"{chosen.name} blocks all {len(attacks)} attacks tried{note}")]


def check_security(state: StateDir) -> Finding:
    """Say in one line what the security audit says at length; it works nevertheless, so that is no problem here."""
    from homarus.ops.audit.report import audit  # noqa: PLC0415 - the audit uses checks of this module

    report = audit(state)
    critical, warnings = report.count("critical"), report.count("warn")
    if not critical and not warnings:
        return Finding("security", "ok", "the audit finds no weaker mode")
    detail = f"the audit finds {critical} critical and {warnings} lesser weaknesses"
    return Finding("security", "warning", detail, "homarus security audit")


def check_page() -> Finding:
    """Check that the chat page is built."""
    if (STATIC / "index.html").is_file():
        return Finding("page", "ok", "the chat page is built")
    return Finding("page", "warning", "the chat page is not built; the command line works without it", "make web")


def worst(findings: Iterable[Finding]) -> State:
    """Return the gravest state of some findings."""
    states = {finding.state for finding in findings}
    return "problem" if "problem" in states else "warning" if "warning" in states else "ok"
