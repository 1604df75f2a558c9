"""Asking a stand-in's Yahoo on a Tuesday, and storing what it answers."""

from datetime import UTC, datetime, timedelta

from lake import macro_fetch, yahoo
from lake.sections import MacroMinute
from lake.windows import Window

TUESDAY = datetime(2026, 11, 24, 20, 0, 30, tzinfo=UTC)
CHART = "/v8/finance/chart/"


def asked(sim, ticker, days=1.0, now=TUESDAY):
    return yahoo.minutes(ticker, Window(now - timedelta(days=days), now), sim.yahoo_url)


def update(layout, sim, ticker, now, days=None):
    return macro_fetch.update(layout, ticker, MacroMinute(yahoo_url=sim.yahoo_url), now, days)
