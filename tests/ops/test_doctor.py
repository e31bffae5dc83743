from __future__ import annotations

import json
import socket
import sqlite3
from pathlib import Path

import pytest

from homarus.clock import SystemClock
from homarus.config.load import load
from homarus.config.paths import StateDir
from homarus.ops import doctor
from homarus.ops.doctor import Finding
from homarus.storage.opening import open_database


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    return StateDir(tmp_path / "home", {"HOME": str(tmp_path)})


def configure(state: StateDir, config: object) -> None:
    state.root.mkdir(mode=0o700, exist_ok=True)
    state.config_file.write_text(json.dumps(config))


def states(findings: list[Finding]) -> list[str]:
    return [finding.state for finding in findings]


def test_looking_makes_nothing(state: StateDir) -> None:
    assert states(doctor.check_state_folder(state)) == ["ok"]
    assert not state.root.exists()


def test_a_folder_others_can_read_is_worth_a_warning(state: StateDir) -> None:
    state.root.mkdir()
    state.root.chmod(0o755)
    finding = doctor.check_state_folder(state)[0]
    assert (finding.state, finding.fix) == ("warning", f"chmod 700 {state.root}")


def test_every_problem_of_the_configuration_is_a_finding(state: StateDir) -> None:
    configure(state, {"gateway": {"prt": 1}, "agnets": {}})
    loaded, findings = doctor.check_config(state)
    assert loaded is None
    assert states(findings) == ["problem", "problem"]
    assert all(finding.fix for finding in findings)


async def test_a_database_is_checked_without_being_made(state: StateDir) -> None:
    state.root.mkdir(mode=0o700)
    loaded = load(state.config_file, state.env)
    assert states(await doctor.check_database(state, loaded)) == ["ok"]
    assert not state.database.exists()
    database = await open_database(None, state.root, SystemClock())
    await database.close()
    finding = (await doctor.check_database(state, loaded))[0]
    assert (finding.state, "intact" in finding.detail) == ("ok", True)


async def test_a_damaged_database_is_a_problem(state: StateDir) -> None:
    state.root.mkdir(mode=0o700)
    state.database.write_bytes(b"no database at all" * 100)
    finding = (await doctor.check_database(state, load(state.config_file, state.env)))[0]
    assert (finding.state, "homarus backup restore FILE" in (finding.fix or "")) == ("problem", True)
    state.backups.mkdir()
    for name in ("backup-20260101T000000-000.tar.gz", "backup-20261101T000000-000.tar.gz", "homarus-0001-x"):
        (state.backups / name).touch()
    finding = (await doctor.check_database(state, load(state.config_file, state.env)))[0]
    newest = state.backups / "backup-20261101T000000-000.tar.gz"
    assert finding.fix == f"stop the gateway, then homarus backup restore {newest}"


async def test_a_database_of_a_newer_version_is_a_problem(state: StateDir) -> None:
    database = await open_database(None, state.root, SystemClock())
    await database.close()
    with sqlite3.connect(state.database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    finding = (await doctor.check_database(state, load(state.config_file, state.env)))[0]
    assert finding.state == "problem"
    assert "9999" in finding.detail


async def test_a_database_server_that_is_down_is_a_problem(state: StateDir) -> None:
    configure(state, {"storage": {"url": "postgresql://user:hidden@127.0.0.1:1/none"}})
    finding = (await doctor.check_database(state, load(state.config_file, state.env)))[0]
    assert finding.state == "problem"
    assert "hidden" not in finding.detail


def test_a_taken_port_names_who_has_it(state: StateDir) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        configure(state, {"gateway": {"port": port}})
        finding = doctor.check_port(load(state.config_file, state.env), state)
    assert finding.state == "problem"
    assert str(port) in finding.detail
    assert finding.fix is not None
    assert f"gateway.port {port + 1}" in finding.fix


async def test_a_model_that_does_not_exist_is_a_problem(state: StateDir) -> None:
    configure(state, {"agents": {"defaults": {"model": {"primary": "nowhere/large"}}}})
    findings = await doctor.examine(state)
    found = [finding for finding in findings if finding.name == "model"]
    assert states(found) == ["problem"]
    assert doctor.worst(findings) == "problem"


async def test_a_model_whose_server_is_down_is_a_problem(state: StateDir) -> None:
    model = {"id": "m", "name": "M"}
    provider = {"baseUrl": "http://127.0.0.1:1/v1", "models": [model]}
    configure(state, {"models": {"providers": {"p": provider}}, "agents": {"defaults": {"model": "p/m"}}})
    finding = (await doctor.check_model(load(state.config_file, state.env)))[0]
    assert finding.state == "problem"
    assert "127.0.0.1:1" in finding.detail


def test_a_broken_channel_section_is_a_problem(state: StateDir) -> None:
    configure(state, {"channels": {"irc": {"hots": "x"}}})
    findings = doctor.check_channels(load(state.config_file, state.env))
    assert set(states(findings)) == {"problem"}
    assert any("channels.irc.hots" in finding.detail for finding in findings)


def test_weaknesses_are_a_warning_that_leads_to_the_audit(state: StateDir) -> None:
    configure(state, {"logging": {"redactSensitive": "off"}})
    state.config_file.chmod(0o666)
    finding = doctor.check_security(state)
    assert (finding.state, finding.fix) == ("warning", "homarus security audit")
    assert "1 critical and 1 lesser" in finding.detail
    configure(state, {})
    state.config_file.chmod(0o600)
    assert doctor.check_security(state).state == "ok"
