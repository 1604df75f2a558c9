"""A lake of size for the benchmarks: 19 symbols, 30 days of 1-second bars (49 million rows), 180 days of 1m klines.

    python -m benchmarks._lake FOLDER

Random walks on a grid of cents, a third of the seconds flat, trade ids that run on; every run makes the same bytes.
What is in FOLDER already is kept, so that the minutes it takes to make are spent once.
"""

import sys
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa

from lake import files, settings
from lake.layout import Layout
from lake.schemas import BARS, KLINES, UTC_US
from lake.windows import DAY, MINUTE_US, SECOND_US, Window, parse_day

FIRST = parse_day("2025-09-01")
DAYS, KLINE_DAYS = 30, 180
SYMBOLS = settings.Settings.model_fields["symbols"].default


def make(base: Path, symbols: int = len(SYMBOLS), days: int = DAYS, kline_days: int = KLINE_DAYS) -> Layout:
    """Return a lake with this many symbols and days of bars from `FIRST` on; the klines end with them."""
    layout = Layout(base)
    for symbol in SYMBOLS[:symbols]:
        for number in range(days):
            path = layout.day_file(symbol, FIRST + number * DAY)
            if not path.exists():
                files.write_parquet(path, bars(symbol, FIRST + number * DAY), "snappy")
        for number in range(days - kline_days, days):
            path = layout.kline_file(symbol, FIRST + number * DAY, "1m")
            if not path.exists():
                files.write_parquet(path, klines(symbol, FIRST + number * DAY), "snappy")
    return layout


def bars(symbol: str, day: date) -> pa.Table:
    """Return a day of complete 1-second bars."""
    chance, size = _chance(symbol, day), 86_400
    trades = np.where(chance.random(size) < 1 / 3, 0, chance.poisson(12, size) + 1)
    close = np.round(100 + chance.normal(0, 0.02, size).cumsum().clip(-50, 50), 2)
    open_ = np.where(trades == 0, close, np.roll(close, 1))
    high, low = (np.where(trades == 0, close, way(open_, close)) for way in (np.maximum, np.minimum))
    base = np.round(trades * chance.random(size), 3)
    quote = np.round(base * close, 5)
    last = trades.cumsum() + day.toordinal() * 10_000_000
    spread = np.round(chance.integers(1, 4, size) / 100, 2)
    flat = trades == 0
    return BARS.conform(
        pa.table(
            {
                "symbol": [symbol] * size, "window_start": _times(day, size, SECOND_US), "open": open_, "high": high,
                "low": low, "close": close, "volume_base": base, "volume_quote": quote, "trade_count": trades,
                "vwap": pa.array(quote / np.where(base == 0, 1, base), mask=flat | (base == 0)), "bid": close,
                "ask": np.round(close + spread, 2), "spread": spread, "taker_buy_base": np.round(base / 2, 4),
                "taker_buy_quote": np.round(quote / 2, 6), "first_trade_id": pa.array(last - trades + 1, mask=flat),
                "last_trade_id": pa.array(last, mask=flat), "complete": [True] * size,
            }
        )
    )  # fmt: skip


def klines(symbol: str, day: date) -> pa.Table:
    """Return a day of 1m klines."""
    chance, size = _chance(symbol, day), 1440
    close = np.round(100 + chance.normal(0, 0.1, size).cumsum().clip(-50, 50), 2)
    volume = np.round(chance.random(size) * 1000, 3)
    times = _times(day, size, MINUTE_US)
    return KLINES.conform(
        pa.table(
            {
                "symbol": [symbol] * size, "open_time": times, "open": np.roll(close, 1),
                "high": np.maximum(close, np.roll(close, 1)), "low": np.minimum(close, np.roll(close, 1)),
                "close": close, "volume": volume, "close_time": _times(day, size, MINUTE_US, MINUTE_US - 1000),
                "quote_volume": np.round(volume * close, 5), "trades": chance.integers(1, 900, size),
                "taker_base_vol": np.round(volume / 2, 4), "taker_quote_vol": np.round(volume * close / 2, 6),
            }
        )
    )  # fmt: skip


def _chance(symbol: str, day: date) -> np.random.Generator:
    return np.random.default_rng([SYMBOLS.index(symbol), day.toordinal()])


def _times(day: date, size: int, step_us: int, plus_us: int = 0) -> pa.Array:
    return pa.array(Window.of_day(day).start_us + plus_us + np.arange(size) * step_us, pa.int64()).cast(UTC_US)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
