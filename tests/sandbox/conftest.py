"""A working sandbox, or the command that makes it work."""

from __future__ import annotations

import asyncio
import os

import pytest

from homarus.sandbox.bubblewrap import Bubblewrap
from homarus.sandbox.contract import Probe


@pytest.fixture(scope="session")
def probe() -> Probe:
    return asyncio.run(Bubblewrap().probe())


@pytest.fixture
def sandbox(probe: Probe) -> Bubblewrap:
    if not probe.is_available:
        message = f"bubblewrap does not work here: {probe.detail}; to fix it: {probe.fix}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return Bubblewrap()
