from __future__ import annotations

from homarus.channels.telegram.typing import TypingSigns
from homarus.testing.manual_clock import ManualClock


def test_the_sign_is_due_again_after_four_seconds_or_a_message() -> None:
    clock = ManualClock()
    signs = TypingSigns(clock)
    assert signs.is_due("a")
    assert not signs.is_due("a")
    assert signs.is_due("b")
    clock.advance(4.0)
    assert signs.is_due("a")
    signs.stopped("a")
    assert signs.is_due("a")


def test_memory_is_bounded() -> None:
    signs = TypingSigns(ManualClock())
    for number in range(2000):
        signs.is_due(str(number))
    assert signs.is_due("0")
    assert not signs.is_due("1999")
