from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from homarus.clock import SystemClock
from homarus.errors import Permanent
from homarus.sandbox.contract import Command, Completion, Probe
from homarus.sandbox.diagnosis import APPARMOR_FIX, explain_failure, install_command
from homarus.sandbox.registry import Unavailable, backends, select


class Backend:
    def __init__(self, name: str, fix: str | None) -> None:
        self.name = name
        self._fix = fix

    async def probe(self) -> Probe:
        return Probe(self.name, is_available=self._fix is None, detail="missing", fix=self._fix)

    async def run(
        self,
        command: Command,
        on_output: Callable[[str], None] | None = None,
        on_start: Callable[[int], None] | None = None,
    ) -> Completion:
        raise Permanent("not meant to run")


async def test_the_first_backend_that_works_is_taken() -> None:
    works = Backend("b", None)
    assert await select([Backend("a", "install a"), works, Backend("c", None)]) is works


async def test_none_that_works_is_an_answer_with_the_fix_and_not_a_downgrade() -> None:
    found = await select([Backend("a", "install a"), Backend("b", "install b")])
    assert isinstance(found, Unavailable)
    assert (found.reason, found.fix) == ("a: missing; b: missing", "install a")


async def test_no_backend_at_all_is_unavailable_too() -> None:
    assert isinstance(await select([]), Unavailable)


def test_bubblewrap_comes_first() -> None:
    assert backends(SystemClock())[0].name == "bubblewrap"


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("ID=debian\n", "sudo apt-get install -y bubblewrap"),
        ('ID="linuxmint"\nID_LIKE="ubuntu debian"\n', "sudo apt-get install -y bubblewrap"),
        ('ID=rocky\nID_LIKE="rhel centos fedora"\n', "sudo dnf install -y bubblewrap"),
        ("ID=arch", "sudo pacman -S --noconfirm bubblewrap"),
        ("ID=alpine", "sudo apk add bubblewrap"),
        ('ID="opensuse-leap"\nID_LIKE="suse opensuse"', "sudo zypper install -y bubblewrap"),
    ],
)
def test_the_install_command_fits_the_distribution(tmp_path: Path, text: str, command: str) -> None:
    (tmp_path / "os-release").write_text(text)
    assert install_command(tmp_path / "os-release") == command


def test_an_unknown_distribution_still_gets_advice(tmp_path: Path) -> None:
    assert "bubblewrap" in install_command(tmp_path / "missing")


@pytest.mark.parametrize(
    ("switch", "value", "fix"),
    [
        ("APPARMOR_SWITCH", "1", APPARMOR_FIX),
        ("CLONE_SWITCH", "0", "sudo sysctl -w kernel.unprivileged_userns_clone=1"),
        ("MAX_NAMESPACES", "0", "sudo sysctl -w user.max_user_namespaces=15000"),
    ],
)
def test_forbidden_namespaces_are_explained_by_the_switch_that_forbids_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, switch: str, value: str, fix: str
) -> None:
    for name in ("APPARMOR_SWITCH", "CLONE_SWITCH", "MAX_NAMESPACES"):
        monkeypatch.setattr(f"homarus.sandbox.diagnosis.{name}", tmp_path / name)
    assert "container" in (explain_failure("bwrap: No permissions to create new namespace").fix or "")
    (tmp_path / switch).write_text(f"{value}\n")
    assert explain_failure("bwrap: No permissions to create new namespace").fix == fix
