"""What the pages ask of the lake: a connection and arguments in, an Arrow table out. No widget, no chart."""

import json
from datetime import datetime
from typing import Any

import pyarrow as pa

from gui import days, source, state
from lake import duck, health, sandbox, selections
from lake.layout import Layout
from lake.schemas import UTC_US
from lake.timeframes import Timeframe
from lake.windows import DAY, Window

BARS = pa.schema(
    [("symbol", pa.string()), ("window_start", UTC_US)]
    + [(name, pa.float64()) for name in ("open", "high", "low", "close", "volume_base", "volume_quote")]
    + [("trade_count", pa.int64())]
    + [(name, pa.float64()) for name in ("vwap", "bid", "ask", "spread")]
    + [("complete", pa.bool_())]
)
COVERAGE = {
    "window_start": "window_start", "seconds_expected": "seconds", "seconds_held": "held", "seconds_flat": "flat",
    "seconds_missing": "missing", "seconds_complete": "complete", "trades_missing": "trades_missing",
}  # fmt: skip
"""Columns of the view `coverage`, and what they are called here."""
Connection = sandbox.Connection


def bars(con: Connection, layout: Layout, symbol: str, window: Window, tf: Timeframe) -> pa.Table:
    """Return the bars of a symbol that begin in a window, with the columns of `BARS`, ascending."""

    def ask(asked: Window) -> pa.Table:
        found = source.ask(con, lambda: selections.bars(layout, [symbol], asked, tf))
        return found.select(BARS.names).cast(BARS)

    whole = window.end - window.start > DAY and tf != "1s"
    return days.bars(layout, symbol, window, tf, ask) if whole else ask(window)


def coverage(con: Connection, layout: Layout, symbol: str, window: Window) -> pa.Table:
    """Return of each stretch of a window: window_start, seconds (of the window), held, flat, missing, complete.

    And trades_missing: trade ids between those held that no bar has.
    """
    width = state.stretch(window)
    found = source.ask(con, lambda: selections.coverage(layout, [symbol], window, width))
    return found.select(list(COVERAGE)).rename_columns(list(COVERAGE.values()))


def derivatives(con: Connection, layout: Layout, symbol: str, window: Window) -> pa.Table:
    """Return funding rate, mark price and open interest of a perpetual, an hour or more a row."""
    seconds = state.hours(window)
    return source.ask(con, source.of("derivatives", lambda: selections.funding(layout, [symbol], window), seconds))


def macro(con: Connection, layout: Layout, ticker: str, window: Window) -> pa.Table:
    """Return window_start and close of a macro ticker, a minute or more a row."""
    seconds = state.minutes(window)
    return source.ask(con, source.of("macro", lambda: selections.macro(layout, [ticker], window), seconds))


def dxy(con: Connection, layout: Layout, window: Window) -> pa.Table:
    """Return window_start and close of the synthetic dollar index, a minute or more a row."""
    return source.ask(con, source.of("dxy", lambda: selections.dxy(layout, window), state.minutes(window)))


def parity(con: Connection, layout: Layout, symbol: str) -> pa.Table | None:
    """Return the days of a symbol whose minutes were compared with klines, newest first; None where none ever were."""
    path = layout.reports / "parity.parquet"
    return source.ask(con, source.own("parity", file=duck.pattern(path), symbol=symbol)) if path.is_file() else None


def verdicts(layout: Layout, symbol: str, most: int = 200) -> list[dict[str, Any]]:
    """Return the newest verdicts on a symbol's days: day, suite, verdict, rules, page (below Data Docs)."""
    root = layout.reports / "data_docs" / "validations"
    rows = []
    for told in sorted(root.glob("*/*/run.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)[:most]:
        try:
            run = json.loads(told.read_text(encoding="utf-8"))
            for day in (day for day in run["days"] if day["symbol"] == symbol):
                page = told.parent / day["href"]
                rows.append(
                    {
                        "day": str(day["day"]), "suite": str(run["suite"]), "verdict": str(day["state"]),
                        "rules": " ".join(map(str, day["violated"])) or "all hold",
                        "page": page.relative_to(root.parent).as_posix(),
                    }
                )  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError):
            continue  # a run that is being written, or pruned, has no verdict now
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        newest.setdefault((row["day"], row["suite"]), row)
    return sorted(newest.values(), key=lambda row: (row["day"], row["suite"]), reverse=True)[:most]


def heartbeat(layout: Layout) -> dict[str, Any] | None:
    """Return what the parts last said of themselves, or None where there is no heartbeat that can be read."""
    return health.read(layout)


def csv(table: pa.Table) -> bytes:
    """Return a table as CSV, row by row as it is; times in ISO 8601 with Z."""
    frame = table.to_pandas()
    for name in frame.select_dtypes("datetimetz"):
        frame[name] = [at.isoformat().replace("+00:00", "Z") for at in frame[name]]
    return frame.to_csv(index=False, lineterminator="\n").encode()


def age_seconds(at: Any, now: datetime) -> float | None:
    """Return how long ago an ISO 8601 time was, or None where it is none."""
    try:
        return (now - datetime.fromisoformat(str(at))).total_seconds()
    except (ValueError, TypeError):
        return None
