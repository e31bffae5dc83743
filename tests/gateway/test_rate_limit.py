from __future__ import annotations

from tests.gateway.fake_clock import FakeClock

from homarus.gateway.peer import Peer, identify_peer
from homarus.gateway.rate_limit import CROWD, MAX_KEYS, AuthLimiter, CallLimiter, FailureLimiter
from homarus.gateway.settings import LimitSettings

LIMITS = LimitSettings(attempts=3, window=60, lockout=300)
REMOTE = Peer("203.0.113.9", is_local=False)


def test_too_many_failures_lock_out_for_the_lockout_time() -> None:
    clock = FakeClock()
    limiter = AuthLimiter(clock, LIMITS)
    for _ in range(3):
        assert limiter.locked_for(REMOTE, "k") == 0
        limiter.fail(REMOTE, "k")
    assert limiter.locked_for(REMOTE, "k") == 300
    assert limiter.locked_for(REMOTE, "other") == 0
    clock.advance(300)
    assert limiter.locked_for(REMOTE, "k") == 0


def test_failures_outside_the_window_do_not_count_and_success_forgets() -> None:
    clock = FakeClock()
    limiter = FailureLimiter(clock, LIMITS)
    for _ in range(5):
        limiter.fail("a")
        clock.advance(31)
    assert limiter.locked_for("a") == 0
    limiter.fail("a")
    limiter.succeed("a")
    limiter.fail("a")
    limiter.fail("a")
    assert limiter.locked_for("a") == 0


def test_loopback_is_exempt_but_pages_on_it_are_not() -> None:
    limiter = AuthLimiter(FakeClock(), LIMITS)
    local = Peer("127.0.0.1", is_local=True)
    page = Peer("127.0.0.1", is_local=True, origin="http://evil.example")
    other = Peer("127.0.0.1", is_local=True, origin="http://good.example")
    for _ in range(3):
        limiter.fail(local, "k")
        limiter.fail(page, "k")
    assert limiter.locked_for(local, "k") == 0
    assert limiter.locked_for(page, "k") > 0
    assert limiter.locked_for(other, "k") == 0


def test_what_a_proxy_on_this_machine_passes_on_is_counted_and_cannot_choose_its_key() -> None:
    limiter = AuthLimiter(FakeClock(), LIMITS)
    for number in range(LIMITS.attempts * CROWD - 1):
        limiter.fail(identify_peer("127.0.0.1", {"x-forwarded-for": f"203.0.113.{number}"}, frozenset()), "k")
    locked = identify_peer("127.0.0.1", {"x-forwarded-for": "203.0.113.77"}, frozenset())
    assert limiter.locked_for(locked, "k") == 0
    limiter.fail(locked, "k")
    assert limiter.locked_for(locked, "k") > 0
    assert limiter.locked_for(Peer("127.0.0.1", is_local=True), "k") == 0
    known = identify_peer("127.0.0.1", {"x-forwarded-for": "203.0.113.77"}, frozenset({"127.0.0.1"}))
    assert limiter.locked_for(known, "k") == 0


def test_memory_is_bounded() -> None:
    limiter = FailureLimiter(FakeClock(), LIMITS)
    for number in range(MAX_KEYS + 100):
        limiter.fail(str(number))
    assert len(limiter._records) == MAX_KEYS


def test_writes_are_counted_per_caller_and_window() -> None:
    clock = FakeClock()
    limiter = CallLimiter(clock, 3, 60)
    assert [limiter.wait_for("a") for _ in range(3)] == [0, 0, 0]
    clock.advance(20)
    assert limiter.wait_for("a") == 40
    assert limiter.wait_for("b") == 0
    clock.advance(41)
    assert limiter.wait_for("a") == 0
