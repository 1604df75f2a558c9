"""The data: what is in the quarantine, and the days that are over and not proved, not compacted or not validated.

Proved is told by footers alone (0.1 ms a day file): 86,400 rows, and ``complete`` nowhere false. Only days that fail
this are read.
"""

import json
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lake import contradictions, damage, gaps, read, selections, views
from lake import verified as lake_verified
from lake.doctor import Finding
from lake.layout import Layout
from lake.windows import DAY, Window, iso, moment

_SECONDS = 86_400
_READ_MOST = 40
"""So many days, the newest, are read to count what they lack."""
_VALIDATED_DAYS = 7
VERIFIED_DAYS = 14
"""A lake of which something has not been verified for longer is reported."""
_CHUNK = 1 << 20
SymbolDay = tuple[str, date]


def verified(layout: Layout, now: datetime) -> Finding:
    """Whether all of the lake has been compared with its checksums of late, and whether something was damaged."""
    name, found = "verified", lake_verified.status(layout)
    if found.damaged:
        return Finding(
            name, "warn", f"{found.damaged:,} damaged files lie in {damage.folder(layout)}",
            "each has its reason and remedy beside it; remove what you have seen",
        )  # fmt: skip
    if found.oldest_us is None:
        return Finding(name, "ok", "not yet: crypto-lake up does it every day, crypto-lake verify now")
    oldest = moment(found.oldest_us)
    said = f"{found.items:,} items by their checksums, the oldest {oldest:%Y-%m-%d}"
    if found.unverified:
        said += f"; {found.unverified:,} not yet"
    if now - oldest > timedelta(days=VERIFIED_DAYS):
        return Finding(name, "warn", said, "crypto-lake verify")
    return Finding(name, "ok", said)


def quarantine(layout: Layout, seconds: float = 4.0) -> Finding:
    """How many records could not be read, and since when. Damaged files are not among them (`verified`)."""
    name, records, changed, deadline = "quarantine", 0, [], time.monotonic() + seconds
    damaged = damage.folder(layout)
    paths = (path for path in layout.quarantine.rglob("*") if path.is_file() and not path.name.startswith("."))
    there = [path for path in paths if not path.name.endswith(".reason.txt") and not path.is_relative_to(damaged)]
    counted = 0
    for path in sorted(there, key=lambda one: one.stat().st_mtime, reverse=True):
        changed.append(path.stat().st_mtime)
        if time.monotonic() < deadline:
            records += _records(path)
            counted += 1
    if not there:
        return Finding(name, "ok", "empty")
    first, last = (f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}" for at in (min(changed), max(changed)))
    least = "" if counted == len(there) else "at least "
    return Finding(
        name, "warn", f"{least}{records:,} records in {len(there):,} files since {first}, the newest of {last}",
        f"each says its reason; what you have seen can be removed from {layout.quarantine}",
    )  # fmt: skip


def _records(path: Path) -> int:
    """Lines; an archive's zip is one record."""
    if path.suffix == ".zip":
        return 1
    lines, last = 0, b"\n"
    with path.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            lines, last = lines + chunk.count(b"\n"), chunk[-1:]
    return lines + (last != b"\n")


def trade_ids(layout: Layout) -> Finding:
    """Where trade ids start again, and how many lines contradict a trade that is held under their id."""
    name, symbols = "trade ids", layout.bar_symbols()
    starts = {symbol: found for symbol in symbols if (found := gaps.starts(layout, symbol))}
    odd = {symbol: count for symbol in symbols if (count := contradictions.count(layout, symbol))}
    times = sum(map(len, starts.values()))
    most = max(starts, key=lambda symbol: starts[symbol][-1], default="")
    places = f"{times:,} place{'' if times == 1 else 's'}"
    again = f"start again in {places}, the last {most} at {iso(moment(starts[most][-1]))}" if starts else ""
    if not odd:
        return Finding(name, "ok", f"{again}; both numberings are kept" if again else "each symbol has one numbering")
    worst, lines = max(odd, key=lambda symbol: odd[symbol]), sum(odd.values())
    many = "1 line contradicts" if lines == 1 else f"{lines:,} lines contradict"
    return Finding(
        name, "warn", f"{many} the trade that is held under the same id, most of {worst}"
        + (f"; ids {again}" if again else ""),
        f"the seconds they name are not complete; both lines of each are in {layout.quarantine / 'contradictions'}",
    )  # fmt: skip


def days(layout: Layout, now: datetime, seconds: float = 5.0) -> list[Finding]:
    """Whether every day that is over is proved complete, compacted and validated."""
    deadline, today = time.monotonic() + seconds, now.date()
    known = [(symbol, day) for symbol in layout.bar_symbols() for day in _over(layout, symbol, today)]
    if not known:
        return [Finding("days", "ok", "none is over yet")]
    suspects = sorted((one for one in known if not proved(layout, *one)), key=lambda one: (one[1], one[0]))[::-1]
    return [_proved(layout, known, suspects, deadline), _compacted(layout, known, now), _validated(layout, known, now)]


def _over(layout: Layout, symbol: str, today: date) -> list[date]:
    """Every day from a symbol's first bars to its last that is over; one without any bars too."""
    there = {*layout.compacted_days(symbol), *layout.hour_days(symbol)}
    if not there:
        return []
    return [day for day in Window(Window.of_day(min(there)).start, Window.of_day(max(there)).end).days() if day < today]


def proved(layout: Layout, symbol: str, day: date) -> bool:
    """Whether a day file alone has every second of the day, each proved complete, as its footer says."""
    if layout.hour_files(symbol, day):
        return False
    try:
        told = pq.read_metadata(layout.day_file(symbol, day))
    except (OSError, pa.ArrowException):  # not there, or damaged
        return False
    at = next((n for n, column in enumerate(told.schema.names) if column == "complete"), None)
    if told.num_rows != _SECONDS or at is None:
        return False
    groups = [told.row_group(number).column(at).statistics for number in range(told.num_row_groups)]
    return all(group is not None and group.has_min_max and group.min is True for group in groups)


def _proved(layout: Layout, known: list[SymbolDay], suspects: list[SymbolDay], deadline: float) -> Finding:
    name, lacking, unread, seconds, trades = "days proved", [], 0, 0, 0
    first = {symbol: min(day for other, day in known if other == symbol) for symbol in {one[0] for one in known}}
    with views.connect(layout) as con:
        for number, (symbol, day) in enumerate(suspects):
            if number >= _READ_MOST or time.monotonic() > deadline:
                unread = len(suspects) - number
                break
            window = Window.of_day(day)
            rows = selections.coverage(layout, [symbol], window, _SECONDS).on(con).to_arrow_table().to_pylist()
            before = _before_recording(layout, symbol, day) if day == first[symbol] else 0
            missing = sum(row["seconds_missing"] for row in rows) - before
            lost = sum(row["trades_missing"] or 0 for row in rows)
            if missing > 0 or lost > 0:
                lacking.append((symbol, day))
                seconds, trades = seconds + missing, trades + lost
    if not lacking and not unread:
        never = sum(gap.count for symbol in first for gap in gaps.never_existed(layout, symbol))
        besides = f"; {never:,} trade ids never existed, as klines show" if never else ""
        return Finding(
            name, "ok", f"no second and no trade is missing in {len(known):,} symbol-days that are over{besides}"
        )
    said = f"{len(lacking):,} of {len(known):,} symbol-days lack {seconds:,} seconds and {trades:,} trades"
    newest = f", the newest {lacking[0][0]} {lacking[0][1]}" if lacking else ""
    more = f"; {unread:,} more are not proved either, and were not read" if unread else ""
    remedy = (
        "FROM coverage WHERE seconds_missing > 0 shows the hours; crypto-lake import-frames fills them from a recording"
    )
    return Finding(name, "warn", said + newest + more, remedy)


def _before_recording(layout: Layout, symbol: str, day: date) -> int:
    """Seconds of a symbol's first day before its first bar: nothing was recorded then, and nothing is missing."""
    first = read.day(layout, symbol, day)["window_start"][0].as_py()
    return int((first - Window.of_day(day).start).total_seconds())


def _compacted(layout: Layout, known: list[SymbolDay], now: datetime) -> Finding:
    due = [one for one in known if Window.of_day(one[1]).end + 2 * timedelta(hours=1) < now]
    loose = [(symbol, day) for symbol, day in due if layout.hour_files(symbol, day)]
    if not loose:
        return Finding("days compacted", "ok", f"all of {len(due):,} symbol-days")
    oldest = min(day for _, day in loose)
    return Finding(
        "days compacted", "warn", f"{len(loose):,} symbol-days are not, the oldest {oldest}", "crypto-lake compact-day"
    )


def _validated(layout: Layout, known: list[SymbolDay], now: datetime) -> Finding:
    last = (now - DAY - timedelta(hours=5)).date()  # validate-rules looks at yesterday at three o'clock
    due = {one for one in known if last - _VALIDATED_DAYS * DAY < one[1] <= last}
    lacking, seen = (
        sorted(due - validated(layout), key=lambda one: (one[1], one[0])),
        f"of the last {_VALIDATED_DAYS} days",
    )
    if not lacking:
        return Finding("days validated", "ok", f"all of {len(due):,} symbol-days {seen}")
    first, end = lacking[0][1], lacking[-1][1] + DAY
    return Finding(
        "days validated", "warn", f"{len(lacking):,} of {len(due):,} symbol-days {seen} are not",
        f"crypto-lake validate-rules --start {first} --end {end}",
    )  # fmt: skip


def validated(layout: Layout) -> set[SymbolDay]:
    """Return the symbol-days whose bars have a verdict in the Data Docs."""
    found = set()
    for told in (layout.reports / "data_docs" / "validations").glob("bars*/*/run.json"):
        try:
            run = json.loads(told.read_text(encoding="utf-8"))
            found |= {(str(day["symbol"]), date.fromisoformat(day["day"])) for day in run["days"]}
        except (OSError, ValueError, KeyError, TypeError):
            continue  # it is being written, or pruned
    return found
