"""The service definitions, word for word."""

from __future__ import annotations

import os
import plistlib
import shutil
import subprocess
from pathlib import Path

import pytest

from homarus.config.load import load_text
from homarus.config.paths import StateDir
from homarus.ops.service_install import define, look, uninstall
from homarus.ops.service_unit import Service, launchd_plist, systemd_unit

SERVICE = Service(
    command=("/opt/homarus/bin/python", "-P", "-m", "homarus", "gateway", "run"),
    home=Path("/home/ines/.homarus"),
    environment={"HOMARUS_HOME": "/home/ines/.homarus", "PATH": "/usr/bin:/bin"},
    writable=(Path("/home/ines/.homarus"), Path("/srv/my notes")),
)

UNIT = """\
[Unit]
Description=Homarus assistant
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=exec
ExecStart=/opt/homarus/bin/python -P -m homarus gateway run
Environment=HOMARUS_HOME=/home/ines/.homarus
Environment=PATH=/usr/bin:/bin
WorkingDirectory=/home/ines/.homarus
Restart=on-failure
RestartSec=5
# A wrong command line (2) or configuration (5) does not get better by itself.
RestartPreventExitStatus=2 5
KillMode=mixed
TimeoutStopSec=30
UMask=0077
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=-/home/ines/.homarus
ReadWritePaths="-/srv/my notes"
PrivateTmp=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
# Commands in the sandbox need user namespaces and a /proc of their own, so namespaces, /proc, /dev and system calls
# are not restricted here: the sandbox does that for each command.
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK

[Install]
WantedBy=default.target
"""


def state_of(folder: Path, **more: str) -> StateDir:
    return StateDir.resolve({"HOMARUS_HOME": str(folder / "home"), "HOME": str(folder), "PATH": "/usr/bin", **more})


def test_the_unit_is_what_it_is_meant_to_be() -> None:
    assert systemd_unit(SERVICE) == UNIT


def test_the_unit_takes_special_characters_literally() -> None:
    odd = Service(("/opt/a b/python", "$HOME"), Path("/home/50%"), {"X": 'a"b%c$d'}, (Path("/srv/50%"),))
    text = systemd_unit(odd)
    assert 'ExecStart="/opt/a b/python" $$HOME\n' in text
    assert 'Environment="X=a\\"b%%c$d"\n' in text
    assert "WorkingDirectory=/home/50%%\n" in text
    assert "ReadWritePaths=-/srv/50%%\n" in text


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        if os.environ.get("CI"):
            pytest.fail("systemd-analyze is missing: apt install systemd")
        pytest.skip("apt install systemd")
    state = state_of(tmp_path / "a folder with 50% $HOME")
    state.create()
    unit = tmp_path / "homarus.service"
    unit.write_text(define(state, None, "systemd").text)
    done = subprocess.run(
        [analyze, "verify", "--user", str(unit)],
        env={"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_property_list_says_the_same() -> None:
    read = plistlib.loads(launchd_plist(SERVICE, Path("/home/ines/.homarus/logs/service.log")).encode())
    assert read["ProgramArguments"] == list(SERVICE.command)
    assert read["EnvironmentVariables"] == SERVICE.environment
    assert read["KeepAlive"] == {"SuccessfulExit": False}
    assert read["StandardErrorPath"] == "/home/ines/.homarus/logs/service.log"


def test_a_definition_may_write_to_every_workspace_and_holds_no_secret(tmp_path: Path) -> None:
    state = state_of(tmp_path, OPENAI_API_KEY="sk-very-secret")
    text = '{agents: {list: [{id: "one", workspace: "/srv/one"}, {id: "two"}]}}'
    definition = define(state, load_text(text, state.config_file, {}), "systemd")
    assert "ReadWritePaths=-/srv/one\n" in definition.text
    assert "sk-very-secret" not in definition.text
    assert definition.path == tmp_path / ".config/systemd/user/homarus.service"


def test_a_configuration_elsewhere_is_named_to_the_service(tmp_path: Path) -> None:
    state = state_of(tmp_path, HOMARUS_CONFIG="/etc/homarus/homarus.json")
    text = define(state, None, "systemd").text
    assert "Environment=HOMARUS_CONFIG=/etc/homarus/homarus.json\n" in text
    assert "ReadWritePaths=-/etc/homarus\n" in text


def test_what_is_not_installed_is_said_to_be_so(tmp_path: Path) -> None:
    definition = define(state_of(tmp_path), None, "systemd")
    assert not look(definition).is_installed
    assert uninstall(definition) is False
