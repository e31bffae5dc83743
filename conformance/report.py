"""What was checked, and how it went."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

BEGIN, END = "<!-- last run -->", "<!-- end of last run -->"


class Mismatch(Exception):
    """The other side did not do what was expected; the text says what was seen."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One check with one release. `seen` is a fact that shows it worked, or the reason why it did not."""

    release: str
    family: str
    name: str
    is_passed: bool
    seen: str
    seconds: float

    def line(self) -> str:
        """Return a line for the terminal."""
        verdict, seen = "pass" if self.is_passed else "FAIL", " ".join(self.seen.split())
        return f"{verdict}  {self.release:<9} {self.family}: {self.name}  [{self.seconds:.1f} s]  {seen}"


def table(outcomes: list[Outcome]) -> str:
    """Return a Markdown table: a row per check, a column per release."""
    releases = list(dict.fromkeys(each.release for each in outcomes))
    found = {(each.family, each.name, each.release): each for each in outcomes}
    rows = [f"| Clients | Check | {' | '.join(releases)} |", f"|---|---|{'---|' * len(releases)}"]
    for family, name in dict.fromkeys((each.family, each.name) for each in outcomes):
        cells = (_cell(found.get((family, name, release))) for release in releases)
        rows.append(f"| {family} | {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _cell(outcome: Outcome | None) -> str:
    if outcome is None:
        return "not run"
    seen = re.sub(r"\s+", " ", outcome.seen).replace("|", "\\|")[:140]
    return ("pass" if outcome.is_passed else "FAIL") + (f": {seen}" if seen else "")


def summary(outcomes: list[Outcome]) -> str:
    """Return the last line: how many passed and failed."""
    failed = sum(not each.is_passed for each in outcomes)
    return f"{len(outcomes) - failed} passed, {failed} failed"


def record(page: Path, text: str) -> None:
    """Put a run in place of the one that a page shows between its two marks. Raises ValueError without the marks."""
    written = page.read_text(encoding="utf-8")
    before, begin, rest = written.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no place for the last run: {BEGIN} … {END}")
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")
