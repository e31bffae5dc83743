"""The first files of a new workspace, written once: deleting them is final."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

MARK: Final = ".homarus/state.json"
AGENTS: Final = """\
# How to work here
- This folder is yours: notes, drafts and results go here. Keep names plain and tell the owner what you made.
- Lasting facts about the owner belong into memory, procedures into skills, everything else into files.
- Change this file when the owner tells you how they want you to work.
"""
SKILL_WRITER: Final = """\
---
name: skill-writer
description: Turn a procedure the owner explained into a skill. Use when asked to remember how something is done.
---
# Writing a skill

1. Say the procedure back in steps and ask about what is unclear: inputs, the result, what must never happen.
2. Choose a short name of lower case letters and hyphens. If `skills/<name>/SKILL.md` exists, read and extend it.
3. Write `skills/<name>/SKILL.md`:

   ```
   ---
   name: <name>
   description: <what it does>. Use when <the words or situations that call for it>.
   ---
   # <Title>
   Numbered steps, each one action with its command or tool, the expected result, and what to do when it differs.
   ```

4. The description is all you see until you open the file: it must name the situations, in the owner's words.
5. Keep the steps under 100 lines. Longer material goes into files beside SKILL.md, named in the step that needs them.
   Never write passwords or keys into a skill: name the environment variable instead.
6. Steps that need a program or variable say so in the front matter, on one line:
   `metadata: {"homarus": {"requires": {"bins": ["jq"], "env": ["API_TOKEN"]}}}`
7. Go through the steps once with a harmless example, correct what failed, and show the owner the file.
"""
FILES: Final = {"AGENTS.md": AGENTS, "skills/skill-writer/SKILL.md": SKILL_WRITER}


def seed_workspace(workspace: Path) -> None:
    """Write the first files into a new or empty workspace and note it; one that was used before is only noted.

    Raises OSError.
    """
    mark = workspace / MARK
    if os.path.lexists(mark):
        return
    is_new = not any(workspace.iterdir())
    if is_new:
        for name, text in FILES.items():
            _write_new(workspace / name, text)
    if not mark.parent.is_symlink():
        _write_new(mark, json.dumps({"version": 1, "seeded": sorted(FILES) if is_new else []}) + "\n")


def _write_new(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError), path.open("x", encoding="utf-8") as file:
        file.write(text)
