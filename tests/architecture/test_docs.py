"""The documentation keeps up with the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from homarus.cli import reference
from homarus.cli.main import help_text
from homarus.cli.tree import COMMANDS
from homarus.gateway.http.document_files import make_files
from homarus.gateway.operations import reference as operations_reference
from homarus.gateway.operations.catalogue import build_registry
from homarus.protocol.event_payloads import EVENT_PAYLOADS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"^(?:\.venv/bin/)?homarus ([a-z]+(?: [a-z]+)?)", re.MULTILINE)


def test_the_page_of_commands_is_what_the_commands_say() -> None:
    written = (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8")
    assert written == reference.page(), "run: make docs"


def test_the_page_of_operations_is_what_the_operations_say() -> None:
    written = (ROOT / "docs/reference/operations.md").read_text(encoding="utf-8")
    assert written == operations_reference.render(), "run: make docs"


def test_the_files_the_gateway_serves_are_what_the_operations_say() -> None:
    stale = [file.name for file, text in make_files().items() if file.read_text(encoding="utf-8") != text]
    assert stale == [], "run: make docs"


def test_every_operation_and_event_is_on_its_page() -> None:
    written = (ROOT / "docs/reference/operations.md").read_text(encoding="utf-8")
    names = [*(each.name for each in build_registry().operations), *EVENT_PAYLOADS]
    assert [name for name in names if f"\n## {name}\n" not in written] == []


def test_every_command_is_documented() -> None:
    written = (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8")
    missing = [path for path in reference.command_paths() if not re.search(f"^##+ {path}$", written, re.MULTILINE)]
    assert missing == []
    assert [entry.name for entry in COMMANDS if entry.summary not in help_text()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = [target for target in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_that_pages_tell_to_type_exist(page: Path) -> None:
    known = {path.removeprefix("homarus ") for path in reference.command_paths()}
    typed: list[str] = COMMAND.findall(page.read_text(encoding="utf-8"))
    assert [each for each in typed if each not in known and each.partition(" ")[0] not in known] == []


def test_the_read_me_begins_with_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.index("make run") < text.index("make test") < 600


@pytest.mark.parametrize("target", ["setup", "run", "test", "check", "fmt", "bench", "docs", "web", "lock"])
def test_make_has_every_target_the_pages_name(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(f"^{target}:.*## ", makefile, re.MULTILINE)


def test_the_lock_files_name_no_registry() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"://|--(extra-)?index-url|--find-links", text), name
