"""Telling a gateway that runs on the state folder that its configuration has changed."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from homarus.config.paths import StateDir


def tell_gateway(state: StateDir, keys: Iterable[str]) -> str | None:
    """Let it read the file again and return what to say about it, None when no gateway runs here."""
    from homarus.config.load import load
    from homarus.config.reload import Impact, impact_of
    from homarus.storage.lock import find_holder

    # The pid comes from the lock of the state folder: a note could name a process that has nothing to do with it.
    holder = find_holder(state.root)
    if holder is None or holder.pid is None or holder.port is None:
        return None
    mode = load(state.config_file, state.env).config.gateway.reload.mode
    if mode == "off" or not hasattr(signal, "SIGHUP"):
        return "The running gateway uses it after a restart."
    # What waits for a restart is told as well: the gateway names it until then.
    with contextlib.suppress(ProcessLookupError):
        os.kill(holder.pid, signal.SIGHUP)
    late = [key for key in keys if impact_of(key) is Impact.RESTART]
    if late:
        return f"The running gateway uses it after a restart: {', '.join(late)}."
    return "The running gateway takes it over now."
