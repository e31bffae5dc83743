"""The text format of Prometheus, version 0.0.4: families of samples with their help."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from homarus.meter import Histogram

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
PREFIX: Final = "homarus_"
Kind = Literal["counter", "gauge", "histogram"]


class Page:
    """Collects families in order; names are given without the prefix."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def one(self, name: str, kind: Kind, about: str, value: float) -> None:
        """Add a family with one sample without labels."""
        self._begin(name, kind, about)
        self._sample(name, {}, value)

    def many(
        self, name: str, kind: Kind, about: str, labels: tuple[str, ...], values: Mapping[tuple[str, ...], float]
    ) -> None:
        """Add a family with a sample for each combination of label values; the heading stays when there is none."""
        self._begin(name, kind, about)
        for key, value in sorted(values.items()):
            self._sample(name, dict(zip(labels, key, strict=True)), value)

    def histograms(self, name: str, about: str, label: str | None, found: Iterable[tuple[str, Histogram]]) -> None:
        """Add a family of histograms, told apart by one label, or a single one without a label."""
        self._begin(name, "histogram", about)
        for value, histogram in found:
            self._histogram(name, {} if label is None else {label: value}, histogram)

    def text(self) -> str:
        """Return the page."""
        return "\n".join([*self._lines, ""])

    def _begin(self, name: str, kind: Kind, about: str) -> None:
        self._lines += [f"# HELP {PREFIX}{name} {about}", f"# TYPE {PREFIX}{name} {kind}"]

    def _histogram(self, name: str, labels: dict[str, str], histogram: Histogram) -> None:
        below = 0
        for bound, count in zip((*histogram.bounds, float("inf")), tuple(histogram.counts), strict=True):
            below += count
            edge = "+Inf" if bound == float("inf") else f"{bound:g}"
            self._sample(f"{name}_bucket", {**labels, "le": edge}, below)
        self._sample(f"{name}_sum", labels, histogram.total)
        self._sample(f"{name}_count", labels, below)

    def _sample(self, name: str, labels: Mapping[str, str], value: float) -> None:
        listed = ",".join(f'{label}="{_escape(text)}"' for label, text in labels.items())
        shown = f"{{{listed}}}" if listed else ""
        self._lines.append(f"{PREFIX}{name}{shown} {value if isinstance(value, int) else repr(float(value))}")


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
