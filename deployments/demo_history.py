"""The demo's steps around history: official klines, their parity with our bars, futures, macro minutes."""

from datetime import UTC, datetime
from typing import Any

from deployments.demo_steps import SYMBOLS, Demo, completed
from lake import kline_store, views
from lake.errors import LakeError
from lake.windows import DAY, Window, micros

_DAYS = 3
_FIELDS = ("open", "high", "low", "close", "volume", "quote_volume", "trades")


def backfill(demo: Demo) -> str:
    """Fetch official klines by the deployment, and compare each with the stand-in's."""
    run = completed(demo, "backfill-binance/local", symbols=SYMBOLS, lookback_days=_DAYS)
    window, rows = _days(), 0
    for symbol in SYMBOLS:
        tables = [kline_store.read(demo.layout, symbol, "1m", day) for day in window.days()]
        found = [_values(row) for table in tables for row in table.to_pylist()]
        true = [_true(row) for row in demo.truth.klines(symbol, window)]
        if len(found) < _DAYS * 1440 or found != true[: len(found)]:
            raise LakeError(f"{symbol}: {len(found):,} candles that are not the stand-in's {len(true):,}")
        rows += len(found)
    return f"{rows:,} official 1m klines of {_DAYS} days, each equal to the stand-in's ({run.seconds:.1f} s)"


def parity(demo: Demo) -> str:
    """Compare our own complete minutes with the official klines: prices and counts equal, volumes within 1e-9."""
    with views.connect(demo.layout) as con:
        (found,) = con.sql(
            "SELECT count(*), count(*) FILTER (diff_open <> 0 OR diff_high <> 0 OR diff_low <> 0 OR diff_close <> 0 "
            "OR diff_trades <> 0 OR abs(diff_volume) > 1e-9 * kline_volume "
            "OR abs(diff_quote_volume) > 1e-9 * kline_quote_volume) FROM compare_our_vs_kline_1m WHERE complete"
        ).fetchall()
    if not found[0] or found[1]:
        raise LakeError(
            f"{found[1]} of {found[0]} complete minutes differ from the official klines: expected none of some"
        )
    return f"{found[0]} complete minutes of ours, no difference to the official klines"


def derivatives(demo: Demo) -> str:
    """Collect funding and open interest by the deployment, and compare the counts with the stand-in's."""
    completed(demo, "derivatives-hour/local", symbols=SYMBOLS, lookback_days=_DAYS)
    window = _days()
    with views.connect(demo.layout) as con:
        (found,) = con.sql("SELECT count(funding_rate), count(open_interest) FROM funding_oi_hourly").fetchall()
    fundings = sum(len(demo.truth.fundings(symbol, window)) for symbol in SYMBOLS)
    if found[0] < fundings or found[1] < _DAYS * 24 * len(SYMBOLS):
        raise LakeError(
            f"funding_oi_hourly has {found} hours with funding and open interest; {fundings} fundings were made"
        )
    return f"{fundings} fundings, open interest of {found[1]:,} symbol-hours"


def macro(demo: Demo) -> str:
    """Fetch macro minutes by the deployment: yfinance itself, talking to the stand-in."""
    run = completed(demo, "macro-minute/local")
    with views.connect(demo.layout) as con:
        (found,) = con.sql("SELECT count(*), count(DISTINCT ticker) FROM macro_minute").fetchall()
        (dollar,) = con.sql("SELECT count(*), max(dxy) FROM dxy_synthetic_minute").fetchall()
    if not found[0] or not dollar[0]:
        raise LakeError(f"{found[0]} macro minutes, {dollar[0]} of the dollar index: expected some")
    return (
        f"{found[0]:,} minutes of {found[1]} tickers, {dollar[0]:,} of a synthetic dollar index ({run.seconds:.1f} s)"
    )


def _days() -> Window:
    now = datetime.now(UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return Window(midnight - _DAYS * DAY, now)


def _values(row: dict[str, Any]) -> tuple[Any, ...]:
    return (micros(row["open_time"]), *(row[name] for name in _FIELDS))


def _true(kline: list[Any]) -> tuple[Any, ...]:
    """A kline's array, with times in ms, as `_values` of our row."""
    return (kline[0] * 1000, *map(float, kline[1:6]), float(kline[7]), kline[8])
