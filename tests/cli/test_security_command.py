from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from tests.cli.support import homarus

from homarus.cli.exits import ExitCode

pytestmark = pytest.mark.e2e


async def test_the_audit_ends_badly_until_what_is_critical_is_gone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    config = home / "homarus.json"
    config.write_text('{"logging": {"redactSensitive": "off"}}')
    config.chmod(0o666)
    shown = await homarus(home, "security", "audit")
    assert shown.code == ExitCode.FAILURE
    assert f"fix: chmod 600 {config}" in shown.out
    listed = await homarus(home, "security", "audit", "--json")
    body = cast("dict[str, Any]", listed.json)
    assert (listed.code, body["summary"]) == (ExitCode.FAILURE, {"critical": 1, "warn": 1, "info": 0})
    assert {each["checkId"] for each in body["findings"]} == {"fs.config.perms_writable", "logging.redact_off"}
    repaired = await homarus(home, "security", "audit", "--fix")
    assert (repaired.code, "Nothing to complain about." in repaired.out) == (ExitCode.OK, True)
    assert config.stat().st_mode & 0o777 == 0o600


async def test_a_broken_configuration_is_reported_as_such(tmp_path: Path) -> None:
    (tmp_path / "homarus.json").write_text('{"gateway": {"prt": 1}}')
    done = await homarus(tmp_path, "security", "audit")
    assert done.code == ExitCode.CONFIG
