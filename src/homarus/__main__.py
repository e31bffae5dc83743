"""`python -m homarus` is the command `homarus`."""

from __future__ import annotations

from homarus.cli.main import main

if __name__ == "__main__":
    main()
