"""How much of a process's time each user had: who took much waits, everybody else does not, and all is let go in time."""

from __future__ import annotations

import pytest

from chatserver.web.transport import fair_share
from chatserver.web.transport.fair_share import BURST_SECONDS, LONGEST_PAUSE_SECONDS, MODEST_SECONDS, SHARE, FairShares


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shares(clock: Clock) -> FairShares:
    return FairShares(clock)


def test_a_burst_is_free_and_what_is_more_has_to_be_paid_off(shares: FairShares, clock: Clock) -> None:
    shares.charge(1, BURST_SECONDS)
    assert shares.pause(1) == 0
    shares.charge(1, 0.01)
    assert shares.pause(1) == pytest.approx(0.01 / SHARE)
    assert shares.pause(2) == 0, "which is nothing to anybody else"
    clock.now += 0.01 / SHARE + 0.001
    assert shares.pause(1) == 0


def test_in_the_long_run_nobody_has_more_than_a_share(shares: FairShares, clock: Clock) -> None:
    began, had = clock.now, 0.0
    while clock.now < began + 100:
        clock.now += shares.pause(1) + 1e-6
        shares.charge(1, 0.005)
        had += 0.005
    assert had <= 100 * SHARE + BURST_SECONDS + 0.01


def test_whoever_takes_little_never_waits(shares: FairShares, clock: Clock) -> None:
    for _ in range(1_000):
        clock.now += 0.1
        shares.charge(1, 0.005)
        assert shares.pause(1) == 0
        assert shares.is_modest(1)


def test_whoever_took_more_is_not_modest_for_a_while(shares: FairShares, clock: Clock) -> None:
    shares.charge(1, MODEST_SECONDS)
    assert not shares.is_modest(1)
    clock.now += MODEST_SECONDS / SHARE / 2
    assert shares.is_modest(1)


def test_nobody_waits_for_longer_than_a_moment_whatever_was_charged(shares: FairShares) -> None:
    shares.charge(1, 1_000.0)
    assert shares.pause(1) == pytest.approx(LONGEST_PAUSE_SECONDS)


def test_only_so_many_debts_are_known(shares: FairShares, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fair_share, "MAX_DEBTS", 3)
    for user in (1, 2, 3, 1, 4, 5):
        shares.charge(user, 1.0)
    assert len(shares) == 3
    assert [user for user in range(1, 6) if shares.pause(user)] == [1, 4, 5], "those of the last"
