"""Klines that are fetched settle the trade ids that the exchange left out, and take it back when they are revised."""

import os

from lake import gaps, transform, views
from lake.windows import Window
from tests.conftest import Raw, content
from tests.shell import crypto_lake

TEN = Window.parse("2025-01-03T10:00:00Z", "2025-01-03T10:10:00Z")


def record(exchange, left_out=2):
    """Ten minutes of the stand-in's own trades, as if its numbering had left out ids in the middle. Returns these."""
    found = exchange.sim.trades("SOLUSDT", TEN.start_us, TEN.end_us)
    middle = next(n for n, trade in enumerate(found) if trade.time_us > TEN.start_us + 290_000_000)
    lines = [
        {"symbol": "SOLUSDT", "ts_event": trade.time_us, "ts_recv": trade.time_us, "price": trade.price,
         "qty": trade.qty, "side": "sell" if trade.buyer_is_maker else "buy", "bid": None, "ask": None,
         "stream": "trade", "trade_id": trade.id + (left_out if n >= middle else 0)}
        for n, trade in enumerate(found)
    ]  # fmt: skip
    Raw(exchange.layout).put(*lines)
    return found[middle].id, found[middle].id + left_out - 1


def trades_missing(layout):
    return views.connect(layout).sql("SELECT sum(trades_missing)::INT FROM coverage").fetchall()[0][0]


def test_the_commands_settle_it_and_say_how_many(exchange):
    layout = exchange.layout
    first, last = record(exchange)
    environment = {
        **os.environ, "LAKE_BASE_PATH": str(layout.base), "LAKE_BINANCE__REST_URL": exchange.sim.rest_url,
        "LAKE_BINANCE__ARCHIVE_URL": exchange.sim.archive_url,
    }  # fmt: skip

    def said(*words):
        done = crypto_lake(*words, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "settled" not in said("transform-hour")
    assert trades_missing(layout) == 2
    ten = ("--symbols", "SOLUSDT", "--start", "2025-01-03T10:00:00Z", "--end", "2025-01-03T10:10:00Z")
    assert said("backfill-binance", *ten) == (
        "10 candles of 1m, 1 symbol, 2 trade ids settled as never existed: transform-hour builds their hours again\n"
    )
    assert said("transform-hour").endswith(", 2 trade ids settled as never existed\n")
    assert [(gap.first_id, gap.last_id) for gap in gaps.never_existed(layout, "SOLUSDT")] == [(first, last)]
    assert trades_missing(layout) == 0
    assert said("backfill-binance", *ten) == "0 candles of 1m, 1 symbol\n"
    assert said("transform-hour") == "nothing to build: no raw input has changed\n"


def test_a_run_that_fetches_nothing_settles_what_a_killed_one_left(exchange):
    exchange.run("2025-01-03", "2025-01-04")
    record(exchange)
    layout = exchange.layout
    klines = content(layout.backfill)
    assert transform.run(layout, "SOLUSDT").never_existed == 2, "the klines were there first"
    layout.gaps("SOLUSDT").unlink()
    done = exchange.run("2025-01-03T10:04:00Z", "2025-01-03T10:05:00Z")
    assert (done.added, done.never_existed, content(layout.backfill) == klines) == (0, 2, True)
    assert transform.run(layout, "SOLUSDT").never_existed == 2


def test_candles_of_another_interval_or_another_time_settle_nothing(exchange):
    record(exchange)
    transform.run(exchange.layout, "SOLUSDT")
    assert exchange.run("2025-01-03T10:00:00Z", "2025-01-03T10:10:00Z", interval="1s").never_existed == 0
    assert exchange.run("2025-01-03T12:00:00Z", "2025-01-03T12:10:00Z").never_existed == 0
    assert transform.pending(exchange.layout) == []


def test_a_revision_upstream_takes_it_back(exchange):
    exchange.run("2025-01-03", "2025-01-04", source="archive")
    record(exchange)
    layout = exchange.layout
    assert transform.run(layout, "SOLUSDT").never_existed == 2
    exchange.sim.fault("revised", rows=1440, duration=600)
    done = exchange.run("2025-01-03", "2025-01-04", source="archive")
    assert (done.revised, done.never_existed, done.withdrawn) == (1440, 0, 2)
    assert transform.run(layout, "SOLUSDT").withdrawn == 2
    assert (gaps.never_existed(layout, "SOLUSDT"), trades_missing(layout)) == ([], 2)
