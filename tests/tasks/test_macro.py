"""Patience with rate limits: the other tickers go on, and the limited ones are tried again, for a bounded time."""

import pytest

from lake.errors import LakeError
from lake.yahoo import RateLimitedError
from tasks import macro, progress
from tasks.macro import patiently


class Yahoo:
    """Limits each ticker so many times, and keeps in which order it was called and waited for."""

    def __init__(self, **limits):
        self.limits, self.seen = limits, []

    def __call__(self, ticker):
        self.seen.append(ticker)
        if self.limits.get(ticker, 0) > 0:
            self.limits[ticker] -= 1
            raise RateLimitedError(ticker)
        return ticker.lower()

    def sleep(self, seconds):
        self.seen.append(seconds)


def run(yahoo, tickers=("A", "B", "C"), waits=(10.0, 20.0)):
    return patiently(tickers, yahoo, progress.quiet, waits, yahoo.sleep)


@pytest.fixture(autouse=True)
def _no_jitter(monkeypatch):
    monkeypatch.setattr(macro, "_JITTER", 0)


def test_a_limited_ticker_waits_while_the_others_go_on():
    yahoo = Yahoo(A=1)
    assert run(yahoo) == (["b", "c", "a"], {})
    assert yahoo.seen == ["A", "B", "C", 10.0, "A"]


def test_without_a_limit_nobody_waits():
    yahoo = Yahoo()
    assert run(yahoo) == (["a", "b", "c"], {})
    assert yahoo.seen == ["A", "B", "C"]


def test_a_storm_is_waited_out_for_a_bounded_time_then_the_limited_are_named_and_the_others_are_done():
    yahoo = Yahoo(A=99, C=2)
    done, failed = run(yahoo)
    assert done == ["b", "c"]
    assert list(failed) == ["A"]
    assert "too many requests" in failed["A"]
    assert yahoo.seen == ["A", "B", "C", 10.0, "A", "C", 20.0, "A", "C"]


def test_what_fails_otherwise_is_named_and_not_tried_again():
    def call(ticker):
        if ticker == "B":
            raise LakeError("no such ticker")
        return yahoo(ticker)

    yahoo = Yahoo(C=1)
    assert patiently(["A", "B", "C"], call, progress.quiet, (10.0,), yahoo.sleep) == (
        ["a", "c"],
        {"B": "no such ticker"},
    )
    assert yahoo.seen == ["A", "C", 10.0, "C"]


def test_the_wait_is_by_chance_a_little_longer_and_in_all_less_than_between_two_runs(monkeypatch):
    monkeypatch.setattr(macro, "_JITTER", 0.25)
    yahoo = Yahoo(A=99)
    patiently(["A"], yahoo, progress.quiet, None, yahoo.sleep)
    waited = [item for item in yahoo.seen if item != "A"]
    assert all(least <= item <= least * 1.25 for item, least in zip(waited, macro.WAITS_S, strict=True))
    assert waited != list(macro.WAITS_S)
    assert sum(macro.WAITS_S) * 1.25 < 15 * 60
