"""The report of a benchmark: tables in Markdown and a plot as SVG, written with plain string formatting."""

from __future__ import annotations

import math
import os
import platform
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from figures import Measured

_COLOURS = ("#0ca678", "#748ffc", "#e8590c", "#f59f00", "#868e96")
_WIDTH, _BAR, _LEFT = 760, 18, 230
_HEIGHT, _MARGIN = 220, 40


def machine(load_before: float) -> str:
    """Return when and where a run was made; loads are the kernel's one-minute averages."""
    date = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    kind = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{date}; {kind}; load average {load_before:.1f} before and {os.getloadavg()[0]:.1f} after."


def budget_table(figures: Sequence[Measured]) -> str:
    """Return the figures of Homarus against their budgets."""
    rows = ["| Figure | Measured | Budget | |", "|---|---:|---:|---|"]
    for one in figures:
        sign = "≥" if one.is_floor else "≤"
        name = f"{one.name} ({one.note})" if one.note else one.name
        rows.append(f"| {name} | {one.value:.2f} {one.unit} | {sign} {one.budget:g} {one.unit} | {one.verdict} |")
    return "\n".join(rows)


def peer_table(names: Sequence[str], rows: Mapping[str, Sequence[float | str]]) -> str:
    """Return the systems side by side; a text in place of a number says why it was not measured."""
    lines = ["| | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    for figure, values in rows.items():
        lines.append(f"| {figure} | " + " | ".join(_cell(value, values[0]) for value in values) + " |")
    return "\n".join(lines)


def _cell(value: float | str, ours: float | str) -> str:
    if isinstance(value, str):
        return value
    ratio = f" ({value / ours:.1f}x)" if isinstance(ours, float) and value is not ours and ours else ""
    return f"{value:,.2f}{ratio}"


def plot(names: Sequence[str], rows: Mapping[str, Sequence[float | str]]) -> str:
    """Return the ratios to the first system as bars on a logarithmic scale."""
    ratios = {figure: [_ratio(value, values[0]) for value in values] for figure, values in rows.items()}
    most = max(value for values in ratios.values() for value in values if value is not None)
    scale = (_WIDTH - _LEFT - 70) / math.log(max(most, 2) * 2)
    parts: list[str] = []
    y = 30
    for column, name in enumerate(names):
        parts.append(f'<rect x="{10 + column * 200}" y="8" width="12" height="12" fill="{_COLOURS[column]}"/>')
        parts.append(f'<text x="{27 + column * 200}" y="18">{name}</text>')
    for figure, values in ratios.items():
        parts.append(f'<text x="10" y="{y + 30}">{figure}</text>')
        for column, value in enumerate(values):
            parts.append(_bar(y + column * _BAR, value, scale, _COLOURS[column]))
        y += len(values) * _BAR + 14
    return _svg(parts, y)


def _ratio(value: float | str, ours: float | str) -> float | None:
    return value / ours if isinstance(value, float) and isinstance(ours, float) and ours else None


def _bar(y: int, value: float | None, scale: float, colour: str) -> str:
    if value is None:
        return f'<text x="{_LEFT}" y="{y + 13}" fill="#868e96">not measured</text>'
    width = max(2.0, math.log(max(value, 0.5) * 2) * scale)
    bar = f'<rect x="{_LEFT}" y="{y}" width="{width:.0f}" height="{_BAR - 3}" fill="{colour}"/>'
    return f'{bar}<text x="{_LEFT + width + 5:.0f}" y="{y + 13}">{value:.1f}</text>'


def curves(lines: Mapping[str, Sequence[tuple[float, float]]], unit: str) -> str:
    """Return lines over a common x axis, each as a share of its greatest value, which its legend names."""
    last = max(x for points in lines.values() for x, _ in points) or 1
    wide, high = _WIDTH - 2 * _MARGIN, _HEIGHT - 2 * _MARGIN
    parts = [f'<rect x="{_MARGIN}" y="{_MARGIN}" width="{wide}" height="{high}" fill="none" stroke="#dee2e6"/>']
    for number, (name, points) in enumerate(lines.items()):
        most, colour = max(y for _, y in points) or 1, _COLOURS[number]
        path = " ".join(f"{_MARGIN + x / last * wide:.1f},{_MARGIN + (1 - y / most) * high:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<rect x="{10 + number * 150}" y="8" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{27 + number * 150}" y="18">{name}, most {most:,.0f}</text>')
    parts.append(f'<text x="{_MARGIN}" y="{_HEIGHT - 20}">0</text>')
    parts.append(f'<text x="{_WIDTH - _MARGIN}" y="{_HEIGHT - 20}" text-anchor="end">{last:g} {unit}</text>')
    return _svg(parts, _HEIGHT)


def _svg(parts: Sequence[str], height: int) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" font-family="sans-serif"'
    return "\n".join([f'{head} font-size="12">', '<rect width="100%" height="100%" fill="#fff"/>', *parts, "</svg>\n"])


def write_section(path: Path, name: str, text: str) -> None:
    """Replace the part of a page between `<!-- NAME -->` and `<!-- end NAME -->`."""
    page = path.read_text()
    begin, end = f"<!-- {name} -->", f"<!-- end {name} -->"
    path.write_text(f"{page[: page.index(begin)]}{begin}\n{text}\n{page[page.index(end) :]}")
