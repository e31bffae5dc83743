"""Turns a sandbox that cannot be set up into what is wrong and the command that repairs it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from homarus.errors import Permanent

OS_RELEASE = Path("/etc/os-release")
APPARMOR_SWITCH = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
CLONE_SWITCH = Path("/proc/sys/kernel/unprivileged_userns_clone")
MAX_NAMESPACES = Path("/proc/sys/user/max_user_namespaces")

INSTALL = {
    "debian": "sudo apt-get install -y bubblewrap",
    "ubuntu": "sudo apt-get install -y bubblewrap",
    "fedora": "sudo dnf install -y bubblewrap",
    "rhel": "sudo dnf install -y bubblewrap",
    "suse": "sudo zypper install -y bubblewrap",
    "arch": "sudo pacman -S --noconfirm bubblewrap",
    "alpine": "sudo apk add bubblewrap",
}
ANY_SYSTEM = "install the package `bubblewrap` (0.8 or newer) with your system's package manager"
# Ubuntu ships a profile that lets bwrap alone make user namespaces, but does not switch it on
APPARMOR_FIX = (
    "sudo apt-get install -y apparmor-profiles"
    " && sudo cp /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/"
    " && sudo apparmor_parser -r /etc/apparmor.d/bwrap-userns-restrict"
)
MAX_SHOWN = 300


def install_command(os_release: Path = OS_RELEASE) -> str:
    """Return the command that installs bubblewrap on this distribution."""
    found = next((INSTALL[name] for name in _distributions(os_release) if name in INSTALL), None)
    return found or ANY_SYSTEM


def explain_failure(message: str) -> Permanent:
    """Return the error for bwrap's own message."""
    shown = message.strip()[:MAX_SHOWN] or "bwrap ended without a message"
    if "Unknown option" in message:
        return Permanent(f"no sandbox: bubblewrap is older than 0.8: {shown}", fix=ANY_SYSTEM)
    if _is_about_namespaces(message):
        return Permanent(f"no sandbox: user namespaces are not allowed here: {shown}", fix=_namespace_fix())
    return Permanent(f"no sandbox: bubblewrap could not set it up: {shown}", fix="homarus doctor")


def _is_about_namespaces(message: str) -> bool:
    signs = ("namespace", "uid map", "gid map", "RTM_NEWADDR", "setting up", "Can't mount proc")
    return any(sign in message for sign in signs)


def _namespace_fix() -> str:
    if _read(APPARMOR_SWITCH) == "1":
        return APPARMOR_FIX
    if _read(CLONE_SWITCH) == "0":
        return "sudo sysctl -w kernel.unprivileged_userns_clone=1"
    if _read(MAX_NAMESPACES) == "0":
        return "sudo sysctl -w user.max_user_namespaces=15000"
    return "in a container, allow user namespaces (docker run --security-opt seccomp=unconfined --cap-add SYS_ADMIN)"


def _read(path: Path) -> str | None:
    with suppress(OSError):
        return path.read_text().strip()
    return None


def _distributions(os_release: Path) -> list[str]:
    """Return this distribution's id and those it is like, nearest first."""
    fields: dict[str, str] = {}
    with suppress(OSError):
        for line in os_release.read_text(errors="replace").splitlines():
            name, _, value = line.partition("=")
            fields[name.strip()] = value.strip().strip("\"'").lower()
    return [fields.get("ID", ""), *fields.get("ID_LIKE", "").split()]
