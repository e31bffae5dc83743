"""`$include`: other files merged into the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from msgspec import Struct, field

from homarus.config.issues import ConfigErrors, ConfigIssue, dotted
from homarus.config.json5_text import MAX_BYTES, parse
from homarus.errors import ConfigError

KEY = "$include"
MAX_DEPTH = 10
MAX_FILES = 64

Place = tuple[str | int, ...]


class Includes(Struct):
    """One pass over a configuration; `root` is the folder no included file may leave."""

    root: Path
    files: list[Path] = field(default_factory=list[Path])
    warnings: list[str] = field(default_factory=list[str])
    issues: list[ConfigIssue] = field(default_factory=list[ConfigIssue])

    def expand(self, value: object, file: Path, place: Place = (), chain: tuple[Path, ...] = ()) -> object:
        """Return `value` with every `$include` replaced; keys beside it win over the included ones.

        Problems are collected in `issues`, and the place concerned is left out.
        """
        chain = chain or (file.resolve(),)
        if isinstance(value, list):
            return [self.expand(item, file, (*place, i), chain) for i, item in enumerate(cast("list[object]", value))]
        if not isinstance(value, dict):
            return value
        tree = cast("dict[str, object]", value)
        own = {key: self.expand(item, file, (*place, key), chain) for key, item in tree.items() if key != KEY}
        if KEY not in tree:
            return own
        merged: object = None
        for name in self._names(tree[KEY], place):
            merged = merge(merged, self._included(name, file, place, chain))
        if not own:
            return dict[str, object]() if merged is None else merged
        if merged is not None and not _is_object(merged):
            self._report(
                place, "keys beside $include need an included object", "include an object, or remove the other keys"
            )
            return own
        return merge(merged, own)

    def _names(self, value: object, place: Place) -> list[str]:
        names = cast("list[object]", value) if isinstance(value, list) else [value]
        if all(isinstance(name, str) and name for name in names):
            return cast("list[str]", names)
        self._report(place, "$include is a file name or a list of file names", "put the file name in quotes")
        return []

    def _included(self, name: str, file: Path, place: Place, chain: tuple[Path, ...]) -> object:
        target = (file.parent / name).resolve()
        problem = self._refusal(target, chain)
        if problem is not None:
            self._report(place, f'cannot include "{name}": {problem[0]}', problem[1])
            return None
        self.files.append(target)
        try:
            content, warnings = parse(read_text(target), file=str(target))
        except ConfigErrors as error:
            self.issues.extend(ConfigIssue(dotted(place), f"{target}: {i.message}", fix=i.fix) for i in error.issues)
            return None
        except ConfigError as error:
            self._report(place, error.message, error.fix or "")
            return None
        self.warnings.extend(f"{target.name}: {warning}" for warning in warnings)
        return self.expand(content, target, place, (*chain, target))

    def _refusal(self, target: Path, chain: tuple[Path, ...]) -> tuple[str, str] | None:
        if not target.is_relative_to(self.root.resolve()):
            return f"it is outside {self.root}", "move the file into the folder of the configuration"
        if target in chain:
            names = " includes ".join(path.name for path in (*chain, target))
            return f"it includes itself ({names})", "break the circle"
        if len(chain) > MAX_DEPTH:
            return f"includes are nested deeper than {MAX_DEPTH}", "include the file from a higher level"
        if len(self.files) >= MAX_FILES:
            return f"more than {MAX_FILES} files are included", "join some of them"
        return None

    def _report(self, place: Place, message: str, fix: str) -> None:
        self.issues.append(ConfigIssue(dotted((*place, KEY)), message, fix=fix))


def merge(base: object, over: object) -> object:
    """Return `base` with `over` on top: objects key by key, lists one after the other, anything else replaced."""
    if base is None:
        return over
    if over is None:
        return base
    if isinstance(base, dict) and isinstance(over, dict):
        lower, upper = cast("dict[str, object]", base), cast("dict[str, object]", over)
        return lower | {key: merge(lower.get(key), item) for key, item in upper.items()}
    if isinstance(base, list) and isinstance(over, list):
        return [*cast("list[object]", base), *cast("list[object]", over)]
    return over


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def read_text(path: Path) -> str:
    """Return the text of a configuration file.

    Raises ConfigError when it does not exist, is unreadable, too large or not UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist", fix="create the file or correct its name") from None
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror or error}", fix="make it a file this user can read"
        ) from None
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{path} is larger than {MAX_BYTES // 1048576} MiB", fix="keep only settings in it")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text (byte {error.start})", fix="save it as UTF-8") from None
