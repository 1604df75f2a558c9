"""The lines of the archive's CSV files, as REST would tell the same span."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import numpy as np

from simulator.contracts import GRID_US
from simulator.exchange import Exchange
from simulator.rows import aggregate_csv, kline_csv, trade_csv
from simulator.spine import DAY_US, rng
from simulator.zip_names import ZipName

METRICS_HEADER = (
    "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,"
    "sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio\n"
)
FUNDING_HEADER = "calc_time,funding_interval_hours,last_funding_rate\n"
LABELLED_BY_START_US = 1_782_345_600_000_000
"""2026-06-25: from then on a row of metrics is labelled with the start of its five minutes, before with their end."""
_RATIO_KEY = 22


def csv_parts(exchange: Exchange, name: ZipName, gaps: Sequence[tuple[int, int]] = ()) -> Iterator[str]:
    """Yield a file's text in parts, a day of trades at a time; nothing at all where the span has no row.

    Args:
        exchange: The market.
        name: The file.
        gaps: Spans (from, to), µs, whose klines are left out.
    """
    if name.kind == "klines":
        yield from _klines(exchange, name, gaps)
    elif name.kind in ("trades", "aggTrades"):
        yield from _trades(exchange, name)
    elif name.kind == "metrics":
        yield from _metrics(exchange, name)
    else:
        yield from _fundings(exchange, name)


def _klines(exchange: Exchange, name: ZipName, gaps: Sequence[tuple[int, int]]) -> Iterator[str]:
    listing = exchange.market(name.symbol).listing
    step = DAY_US if name.interval == "1s" else name.to_us - name.from_us
    for low in range(name.from_us, name.to_us, step):
        table = exchange.table(name.symbol, name.interval, low, low + step - 1, gaps=gaps)
        if len(table):
            yield kline_csv(listing, table, name.unit_us)


def _trades(exchange: Exchange, name: ZipName) -> Iterator[str]:
    market, text = exchange.market(name.symbol), trade_csv if name.kind == "trades" else aggregate_csv
    end = min(name.to_us, exchange.made_until(name.symbol))
    for low in range(name.from_us, end, DAY_US):
        for part in market.trades(low, min(low + DAY_US, end)):
            yield text(market, part, name.unit_us)


def _metrics(exchange: Exchange, name: ZipName) -> Iterator[str]:
    """The snapshots after the midnight that begins a day, up to the one that ends it, labelled as on its date."""
    rows = exchange.open_interests(name.symbol, name.from_us + GRID_US, name.to_us + GRID_US)
    if not rows:
        return
    listing = exchange.market(name.symbol).listing
    random = rng(exchange.plan.seed, listing, _RATIO_KEY, name.from_us // DAY_US)
    ratios = np.exp(random.normal(0.3, 0.1, (DAY_US // GRID_US, 4)))
    yield METRICS_HEADER
    early_us = GRID_US if name.from_us >= LABELLED_BY_START_US else 0
    for row in rows:
        at = datetime.fromtimestamp((row.time_us - early_us) // 1_000_000, UTC)
        others = ",".join(f"{ratio:.8f}" for ratio in ratios[(row.time_us - name.from_us) // GRID_US - 1].tolist())
        yield f"{at:%Y-%m-%d %H:%M:%S},{row.symbol},{row.amount},{row.value},{others}\n"


def _fundings(exchange: Exchange, name: ZipName) -> Iterator[str]:
    rows = exchange.fundings(name.symbol, name.from_us, name.to_us)
    if rows:
        yield FUNDING_HEADER
        yield "".join(f"{row.time_us // 1000},8,{row.rate}\n" for row in rows)
