from __future__ import annotations

from pathlib import Path

import pytest

from homarus.config.paths import StateDir
from homarus.ops.audit.finding import Chmod
from homarus.ops.audit.report import audit, repair


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    found = StateDir(tmp_path / "home", {"HOME": str(tmp_path)})
    found.create()
    found.config_file.write_text("{}")
    (found.identity / "gateway-token").write_text("t" * 43)
    for path in (found.config_file, found.identity / "gateway-token"):
        path.chmod(0o600)
    return found


def ids(state: StateDir) -> set[str]:
    return {finding.id for finding in audit(state).findings}


def test_a_fresh_installation_is_private(state: StateDir) -> None:
    assert ids(state) == set()


@pytest.mark.parametrize(
    ("name", "mode", "expected"),
    [
        ("", 0o777, "fs.state_dir.perms_world_writable"),
        ("", 0o770, "fs.state_dir.perms_group_writable"),
        ("", 0o755, "fs.state_dir.perms_readable"),
        ("homarus.json", 0o666, "fs.config.perms_writable"),
        ("homarus.json", 0o620, "fs.config.perms_writable"),
        ("homarus.json", 0o644, "fs.config.perms_world_readable"),
        ("homarus.json", 0o640, "fs.config.perms_group_readable"),
        (".env", 0o644, "fs.dotenv.perms_world_readable"),
        ("homarus.db", 0o644, "fs.sessions_store.perms_world_readable"),
        ("identity", 0o750, "fs.credentials_dir.perms_readable"),
        ("identity/gateway-token", 0o644, "fs.credentials_dir.perms_world_readable"),
        ("logs/homarus.log", 0o644, "fs.log_file.perms_world_readable"),
        ("gateway/tls/gateway-key.pem", 0o640, "fs.credentials_dir.perms_group_readable"),
    ],
)
def test_what_others_can_read_or_change_is_found_and_repaired(
    state: StateDir, name: str, mode: int, expected: str
) -> None:
    path = state.root / name
    for folder in (*reversed(path.relative_to(state.root).parents),):
        (state.root / folder).mkdir(mode=0o700, exist_ok=True)
    if not path.exists():
        path.touch()
    path.chmod(mode)
    assert ids(state) == {expected}
    repaired = repair(state, audit(state))
    assert [str(each.repair) for each in repaired] == [f"chmod {0o700 if path.is_dir() else 0o600:o} {path}"]
    assert ids(state) == set()


def test_a_readable_file_is_critical_only_where_its_folder_lets_others_in(state: StateDir) -> None:
    dotenv = state.root / ".env"
    dotenv.touch(0o600)
    dotenv.chmod(0o644)
    [shut] = audit(state).findings
    assert (shut.severity, shut.detail) == ("warn", "only its folder keeps other users from reading this file")
    state.root.chmod(0o755)
    opened = {each.id: each.severity for each in audit(state).findings}
    assert opened["fs.dotenv.perms_world_readable"] == "critical"


def test_links_are_named_and_never_followed_by_a_repair(state: StateDir, tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text("{}")
    outside.chmod(0o644)
    state.config_file.unlink()
    state.config_file.symlink_to(outside)
    assert ids(state) == {"fs.config.symlink", "fs.config.perms_world_readable"}
    link = tmp_path / "link"
    link.symlink_to(outside)
    report = audit(state)
    swapped = type(report)(
        tuple(
            type(each)(each.id, each.severity, each.place, each.detail, each.fix, Chmod(link, 0o600))
            for each in report.findings
            if each.repair is not None
        )
    )
    assert all(each.problem for each in repair(state, swapped))
    assert outside.stat().st_mode & 0o777 == 0o644


def test_a_synchronised_folder_is_named(tmp_path: Path) -> None:
    state = StateDir(tmp_path / "Dropbox" / "home", {"HOME": str(tmp_path)})
    state.create()
    assert ids(state) == {"fs.synced_dir"}
