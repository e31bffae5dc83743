from __future__ import annotations

from uuid import RFC_4122, UUID

from homarus.clock import SystemClock


def test_ids_are_random_uuids_in_their_usual_form() -> None:
    clock = SystemClock()
    ids = [clock.uuid() for _ in range(1_000)]
    assert len(set(ids)) == 1_000
    for text in ids:
        read = UUID(text)
        assert (str(read), read.version, read.variant) == (text, 4, RFC_4122)
