"""The text of service definitions: a systemd user unit, and a launchd property list."""

from __future__ import annotations

import plistlib
from pathlib import Path
from typing import Final

from msgspec import Struct, field

UNIT_NAME: Final = "homarus.service"
LABEL: Final = "homarus.gateway"
STOP_SECONDS: Final = 30
"""A gateway puts everything into its journal within 10 s of SIGTERM; the rest is room for a slow disk."""


class Service(Struct, frozen=True):
    """What to run. `command` begins with an absolute path; `environment` holds no secrets.

    `writable` are the folders the service may write to; everything else is read-only to it, where the system can.
    """

    command: tuple[str, ...]
    home: Path
    environment: dict[str, str] = field(default_factory=dict[str, str])
    writable: tuple[Path, ...] = ()


def systemd_unit(service: Service) -> str:
    """Return the user unit.

    What is not in it is left out because a command in the sandbox (bubblewrap) makes its own namespaces and mounts
    its own /proc: RestrictNamespaces, ProtectProc, ProtectKernelTunables, PrivateDevices, SystemCallFilter.
    """
    command = " ".join(_quoted(part).replace("$", "$$") for part in service.command)
    variables = "".join(f"Environment={_quoted(f'{name}={value}')}\n" for name, value in service.environment.items())
    writable = "".join(f"ReadWritePaths={_quoted(f'-{path}')}\n" for path in service.writable)
    return f"""\
[Unit]
Description=Homarus assistant
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=exec
ExecStart={command}
{variables}WorkingDirectory={_path(service.home)}
Restart=on-failure
RestartSec=5
# A wrong command line (2) or configuration (5) does not get better by itself.
RestartPreventExitStatus=2 5
KillMode=mixed
TimeoutStopSec={STOP_SECONDS}
UMask=0077
NoNewPrivileges=yes
ProtectSystem=strict
{writable}PrivateTmp=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
# Commands in the sandbox need user namespaces and a /proc of their own, so namespaces, /proc, /dev and system calls
# are not restricted here: the sandbox does that for each command.
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK

[Install]
WantedBy=default.target
"""


def launchd_plist(service: Service, log_file: Path) -> str:
    """Return the property list; launchd has no sandbox of its own to set up here."""
    content: dict[str, object] = {
        "Label": LABEL,
        "ProgramArguments": list(service.command),
        "EnvironmentVariables": dict(service.environment),
        "WorkingDirectory": str(service.home),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 10,
        "ExitTimeOut": STOP_SECONDS,
        "Umask": 0o077,
        "ProcessType": "Background",
        "StandardOutPath": str(log_file),
        "StandardErrorPath": str(log_file),
    }
    return plistlib.dumps(content, sort_keys=False).decode()


def _quoted(text: str) -> str:
    """Return a word of a unit file: quoted where needed, `%` taken literally."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    needs_quotes = any(char.isspace() or char in "\"'\\;" for char in text)
    return f'"{escaped}"' if needs_quotes else escaped


def _path(path: Path) -> str:
    """Return a path where systemd takes the rest of the line as it is."""
    return str(path).replace("%", "%%")
