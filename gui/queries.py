"""What the pages ask of the lake: a connection and arguments in, an Arrow table out. No widget, no chart."""

import json
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from gui import source, state
from lake.layout import Layout
from lake.schemas import UTC_US
from lake.windows import Window

BUCKETS = 240
"""As many bars as a coverage timeline has at most."""
BARS = pa.schema(
    [("symbol", pa.string()), ("window_start", UTC_US)]
    + [(name, pa.float64()) for name in ("open", "high", "low", "close", "volume_base", "volume_quote")]
    + [("trade_count", pa.int64())]
    + [(name, pa.float64()) for name in ("vwap", "bid", "ask", "spread")]
    + [("complete", pa.bool_())]
)
Connection = duckdb.DuckDBPyConnection


def bars(con: Connection, layout: Layout, symbol: str, window: Window, tf: str) -> pa.Table:
    """Return the bars of a symbol in a window, with the columns of `BARS`, ascending."""
    found = source.files(layout, symbol, window)
    if not found["files"]:
        return BARS.empty_table()
    fixed = {"start": window.start, "end": window.end, "seconds": state.TIMEFRAMES[tf]}
    return source.ask(con, "bars", lambda: source.files(layout, symbol, window) | fixed).cast(BARS)


def coverage(con: Connection, layout: Layout, symbol: str, window: Window) -> pa.Table:
    """Return of each of at most `BUCKETS` buckets: window_start, seconds, held, flat, missing, complete (seconds)."""
    fixed = {"start": window.start, "end": window.end, "seconds": state.bucket(window, BUCKETS)}
    return source.ask(con, "coverage", lambda: _some(layout, symbol, window) | fixed)


def derivatives(con: Connection, symbol: str, window: Window) -> pa.Table:
    """Return funding rate, mark price and open interest of a perpetual, an hour or more a row."""
    fixed = {"symbol": symbol, "start": window.start, "end": window.end, "seconds": state.hours(window)}
    return source.ask(con, "derivatives", lambda: fixed)


def macro(con: Connection, ticker: str, window: Window) -> pa.Table:
    """Return window_start and close of a macro ticker, a minute or more a row."""
    return source.ask(con, "macro", lambda: _macro(window) | {"ticker": ticker})


def dxy(con: Connection, window: Window) -> pa.Table:
    """Return window_start and close of the synthetic dollar index, a minute or more a row."""
    return source.ask(con, "dxy", lambda: _macro(window))


def parity(con: Connection, layout: Layout, symbol: str) -> pa.Table | None:
    """Return the days of a symbol whose minutes were compared with klines, newest first; None where none ever were."""
    path = layout.reports / "parity.parquet"
    return source.ask(con, "parity", lambda: {"file": str(path), "symbol": symbol}) if path.is_file() else None


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
    try:
        found = json.loads((layout.logs / "health" / "heartbeat.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


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


def _some(layout: Layout, symbol: str, window: Window) -> dict[str, Any]:
    """The files of the window; where it has none, a day's that lie outside of it: their rows are filtered away."""
    found = source.files(layout, symbol, window)
    return found if found["files"] else {**source.newest(layout, symbol), "superseded": []}


def _macro(window: Window) -> dict[str, Any]:
    return {"start": window.start, "end": window.end, "seconds": state.minutes(window)}
