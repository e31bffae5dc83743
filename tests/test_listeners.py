from __future__ import annotations

from collections.abc import Callable

from homarus.listeners import Listeners


def test_everybody_is_told_in_order_until_they_leave() -> None:
    listeners: Listeners[[str, int]] = Listeners()
    told: list[tuple[str, str, int]] = []
    leave = listeners.add(lambda name, number: told.append(("first", name, number)))
    listeners.add(lambda name, number: told.append(("second", name, number)))
    listeners.tell("a", 1)
    leave()
    listeners.tell("b", 2)
    assert told == [("first", "a", 1), ("second", "a", 1), ("second", "b", 2)]


def test_a_listener_may_leave_while_it_is_told() -> None:
    listeners: Listeners[[]] = Listeners()
    told: list[int] = []
    leaves: list[Callable[[], None]] = []

    def once() -> None:
        told.append(1)
        leaves.pop()()

    leaves.append(listeners.add(once))
    listeners.add(lambda: told.append(2))
    listeners.tell()
    listeners.tell()
    assert told == [1, 2, 2]
