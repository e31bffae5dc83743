"""What waits in an outbox, decoded."""

from __future__ import annotations

import json
from typing import Any

from homarus.gateway.outbox import ClientOutbox


def frames_of(outbox: ClientOutbox) -> list[dict[str, Any]]:
    """Take every frame that waits."""
    frames = [json.loads(frame) for frame in outbox._frames]
    outbox._buffered -= sum(len(frame) for frame in outbox._frames)
    outbox._frames.clear()
    return frames
