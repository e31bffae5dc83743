"""Say which system packages are missing and how to install them; nothing here stops the start.

Usage: python scripts/system_packages.py
"""

from __future__ import annotations

import shutil
import sys

INSTALLERS = {
    "apt-get": "sudo apt-get install -y bubblewrap",
    "dnf": "sudo dnf install -y bubblewrap",
    "pacman": "sudo pacman -S --noconfirm bubblewrap",
    "apk": "sudo apk add bubblewrap",
    "zypper": "sudo zypper install -y bubblewrap",
}


def install_command() -> str:
    """Return the command of this system's package manager that installs bubblewrap."""
    found = [command for tool, command in INSTALLERS.items() if shutil.which(tool)]
    return found[0] if found else "install bubblewrap with the package manager of this system"


def main() -> int:
    """Print the advice; always succeeds."""
    if sys.platform == "linux" and shutil.which("bwrap") is None:
        sys.stdout.write(
            "bubblewrap is not installed: the assistant cannot run commands in its sandbox, everything else works.\n"
            f"To add it, type: {install_command()}\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
