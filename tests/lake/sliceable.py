"""A lake to take slices of, and taking them."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from lake import export, files, slices, transform
from lake.schemas import BARS, UTC_US
from lake.timeframes import TIMEFRAMES
from lake.windows import DAY_US, HOUR_US, Window, moment
from tests.conftest import Raw
from tests.lake.test_views import DAY, fund, open_interest, put, rate

WINDOW = Window.parse("2025-10-20T23:59:00Z", "2025-10-21T00:01:00Z")
DAYS = Window.parse("2025-10-20", "2025-10-22")


def bars(symbol, start, count, price=0.1, complete=True):
    """Bars of consecutive seconds; the third is flat, the fourth has a price that needs all its digits."""
    rows = []
    for n in range(count):
        flat, value = n == 2, 1 / 3 if n == 3 else price
        rows.append({
            "symbol": symbol, "window_start": datetime.fromtimestamp(start.timestamp() + n, UTC),
            "open": value, "high": value, "low": value, "close": value,
            "volume_base": 0.0 if flat else 1e-8, "volume_quote": 0.0 if flat else 1e16,
            "trade_count": 0 if flat else 1, "vwap": None if flat else value, "bid": None, "ask": None, "spread": None,
            "taker_buy_base": 0.0, "taker_buy_quote": 0.0,
            "first_trade_id": None if flat else n, "last_trade_id": None if flat else n, "complete": complete,
        })  # fmt: skip
    return BARS.conform(pa.Table.from_pylist(rows, schema=BARS.arrow))


def moved(table, us):
    """The same bars, so many microseconds later."""
    at = pc.add(table["window_start"].cast(pa.int64()), us)
    return table.set_column(1, BARS.arrow.field("window_start"), at.cast(UTC_US))


def write_days(layout, symbol, count):
    """So many compacted days from 2025-10-20 on, each with all of its seconds."""
    hour = bars(symbol, moment(DAY), 3600)
    day = pa.concat_tables([moved(hour, number * HOUR_US) for number in range(24)]).combine_chunks()
    for number in range(count):
        path = layout.day_file(symbol, moment(DAY + number * DAY_US).date())
        files.write_parquet(path, moved(day, number * DAY_US), "snappy")


def sliced(
    lake, out, symbols=("SOLUSDT", "ADAUSDT"), window=WINDOW, tf=None, form="parquet", source="bars", compression=None,
    **more,
):  # fmt: skip
    wanted = slices.asked(source, list(symbols), window, tf, form, compression)
    return export.slice_to(lake, wanted, Path(out), **more)


def everything(layout):
    """Some rows of every source for two symbols, and for two tickers, around a month's end; rows of others too."""
    for symbol, first in (("SOLUSDT", 1), ("ADAUSDT", 50), ("XRPUSDT", 90)):
        raw = Raw(layout, symbol)
        lines = [raw.trade(first + n, 86_340 + 7 * n, f"{100 + n % 3}.5") for n in range(40)]
        raw.put(*lines, raw.quote(1, 86_341))
        transform.run(layout, symbol)
        for tf in ("1s", "1m", "5m", "1d"):
            put(layout, symbol, 0, 5, 1439, interval=tf)
            put(layout, symbol, 0, day=DAY + 12 * 24 * HOUR_US, interval=tf)
        fund(layout, (3000, -0.0001, 185.5), (8 * HOUR_US, 0.0002, None), symbol=symbol)
        open_interest(layout, (0, 10.0), (30 * HOUR_US, 11.0), symbol=symbol)
    for ticker in ("SPY", "^GSPC", "EURUSD=X"):
        rate(layout, ticker, 0, 1, 1439, 12 * 1440, close=2.5)


BARS_OF = "SELECT * EXCLUDE exchange FROM bars_"
VIEW_OF = {
    **{("bars", tf): f"{BARS_OF}{tf}" for tf in TIMEFRAMES},
    ("klines", "1m"): "SELECT * EXCLUDE (year, month, day) FROM klines_1m",
    ("macro", "1m"): "FROM macro_minute",
    ("funding", "1h"): "FROM funding_oi_hourly",
}
