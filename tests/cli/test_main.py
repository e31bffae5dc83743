from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from homarus.cli import main
from homarus.cli.exits import ExitCode
from homarus.cli.tree import COMMANDS

HEAVY = ("typer", "pydantic", "aiohttp", "sqlalchemy", "rich", "asyncio", "cryptography")


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("HOMARUS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOMARUS_HOME", str(tmp_path))


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--help"]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert [entry.name for entry in COMMANDS if f"  {entry.name} " not in shown] == []


def test_help_loads_nothing_heavy() -> None:
    script = "import sys; from homarus.cli.main import run; run(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=150, check=True)
    loaded = set(done.stderr.split())
    assert [name for name in HEAVY if name in loaded] == []
    assert "homarus.cli.tree" in loaded


def test_nothing_typed_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([]) == ExitCode.OK
    assert "Usage: homarus" in capsys.readouterr().out


def test_an_unknown_command_names_the_one_that_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["sesions"]) == ExitCode.USAGE
    shown = capsys.readouterr().err
    assert "there is no command 'sesions'" in shown
    assert "fix:   homarus sessions" in shown


@pytest.mark.parametrize("arguments", [["version", "--frob"], ["agent"], ["gateway", "run", "--port", "99999"]])
def test_wrong_typing_is_one_line_and_the_help_to_read(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(arguments) == ExitCode.USAGE
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("error: ")
    assert lines[1].endswith("--help")


def test_a_group_without_a_command_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["sessions"]) == ExitCode.USAGE
    assert "reset" in capsys.readouterr().err


def test_settings_before_the_command_reach_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--home", str(tmp_path / "other"), "config", "file"]) == ExitCode.OK
    assert capsys.readouterr().out.strip() == str(tmp_path / "other" / "homarus.json")


def test_a_setting_without_its_value_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--home"]) == ExitCode.USAGE
    assert "--home needs a value" in capsys.readouterr().err


def test_an_unexpected_error_is_a_line_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(main, "help_text", _break)
    assert main.run(["--help"]) == ExitCode.FAILURE
    shown = capsys.readouterr().err
    assert "unexpected: ZeroDivisionError" in shown
    assert "Traceback" not in shown


def test_debugging_shows_where_it_broke(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "help_text", _break)
    monkeypatch.setenv("HOMARUS_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        main.run(["--help"])


def test_an_unknown_failpoint_is_refused_with_the_known_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOMARUS_FAILPOINT", "nowhere")
    assert main.run(["version"]) == ExitCode.USAGE
    shown = capsys.readouterr().err
    assert "nowhere names no failpoint" in shown
    assert "inbox.before_commit" in shown


def _break() -> str:
    raise ZeroDivisionError("division by zero")
