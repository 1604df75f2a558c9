"""Reading bars into Arrow: exactly the files of a symbol and window, or of a day."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lake import checksums, duck, files
from lake.errors import DamagedError
from lake.intervals import starts_in
from lake.layout import Layout
from lake.schemas import BARS, UTC_US
from lake.timeframes import Timeframe, seconds
from lake.windows import Window

_TRIES = 5
_Load = Callable[[Path], pa.Table]


def bars(layout: Layout, symbol: str, window: Window, tf: Timeframe = "1s") -> pa.Table:
    """Return the bars of one symbol that begin in a window, each whole, as `lake.schemas.BARS`, sorted."""
    whole = starts_in(window, tf)
    days = [day(layout, symbol, which, whole) for which in whole.days()] if whole else []
    table = pa.concat_tables(days) if days else BARS.empty()
    return table if tf == "1s" else BARS.conform(rolled_up(table, tf, gap_files(layout, symbol)))


def gap_files(layout: Layout, *symbols: str) -> list[str]:
    """Return the files of some symbols' gaps that are there, as patterns: they name where trade ids start again."""
    return [duck.pattern(path) for symbol in symbols if (path := layout.gaps(symbol)).exists()]


def rolled_up(bars_1s: pa.Table, tf: Timeframe, gap_files: Sequence[str] = ()) -> pa.Table:
    """Roll seconds up, with the statement behind the views, and take what comes out, whatever is in it.

    Without its gap files (`gap_files`) a bar in which trade ids start again opens with its lowest id.

    Raises:
        duckdb.Error: a value cannot be summed.
    """
    with duck.memory() as con:
        con.register("bars_1s", bars_1s)
        for name in ("gaps_in", "starts_in", "rolled_up"):
            con.execute(duck.sql(f"macros/{name}"))
        rows = "SELECT * EXCLUDE exchange FROM rolled_up('bars_1s', $width, $files) ORDER BY symbol, window_start"
        return con.sql(rows, params={"width": seconds(tf), "files": list(gap_files)}).to_arrow_table()


def day(
    layout: Layout, symbol: str, which: date, window: Window | None = None, load: _Load | None = None
) -> pa.Table:  # fmt: skip
    """Return a day's 1-second bars (of the part in ``window``), be the day compacted, not yet, or just in between.

    ``load`` reads a file: by default `file`.
    """
    tables = day_tables(layout, symbol, which, load or file)
    table = _in_order(pa.concat_tables(tables)) if tables else BARS.empty()
    return table if window is None else inside(table, window)


def inside(table: pa.Table, window: Window) -> pa.Table:
    """Return the bars of a table whose window_start lies in a window."""
    start, end = (pa.scalar(at, UTC_US) for at in (window.start, window.end))
    known = pc.min_max(table["window_start"])
    if table.num_rows and known["min"].value >= start.value and known["max"].value < end.value:
        return table
    return table.filter(pc.and_(pc.greater_equal(table["window_start"], start), pc.less(table["window_start"], end)))


def _in_order(table: pa.Table) -> pa.Table:
    """Sorted by time; a compacted day is so already, and to see that takes a tenth of the time that sorting takes."""
    times = table["window_start"]
    if len(times) < 2 or pc.all(pc.less_equal(times[:-1], times[1:])).as_py():
        return table
    return table.sort_by("window_start")


def day_tables(layout: Layout, symbol: str, which: date, load: _Load) -> list[pa.Table]:
    """Return the tables of a day as ``load`` reads its files: an hour file takes the place of its hour in the day file.

    Compaction writes the day file before it takes the hour files away; who listed them a moment earlier lists again.
    """
    for attempt in range(_TRIES):
        try:
            return list(_day_tables(layout, symbol, which, load))
        except FileNotFoundError:
            if attempt == _TRIES - 1:
                raise
    return []


def _day_tables(layout: Layout, symbol: str, which: date, load: _Load) -> Iterator[pa.Table]:
    hours = layout.hour_files(symbol, which)
    whole_day = layout.day_file(symbol, which)
    if whole_day.exists():
        table = load(whole_day)
        if hours:
            hour_of = pc.floor_temporal(table["window_start"], unit="hour")
            superseded = pc.is_in(hour_of, value_set=pa.array(list(hours), UTC_US))
            table = table.filter(pc.invert(superseded))
        yield table
    yield from map(load, hours.values())


def file(path: Path) -> pa.Table:
    """Return the bars of one Parquet file.

    Raises:
        FileNotFoundError: it is not there (any more).
        DamagedError: it is not what was written (`lake.checksums`).
        LakeError: it cannot be read, or its columns are not those of bars.
    """
    with files.parquet(path, "transform its hours again") as handle:
        return BARS.conform(handle.read())


def file_again(path: Path) -> pa.Table:
    """Return the bars of a file whose SHA-256 was compared a moment ago; the checksums of its pages are this time.

    A slice reads its files twice; to compare their SHA-256 twice would make it a tenth slower.
    """
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as handle:
            return BARS.conform(handle.read())
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise DamagedError(path, f"cannot be read: {error}") from error


def signed(path: Path) -> tuple[pa.Table, str]:
    """Return the bars of one Parquet file, and the SHA-256 of just the bytes that they were read from.

    Raises:
        As `file`.
    """
    found = checksums.read(path)
    with files.opened(path, found) as handle:
        return BARS.conform(handle.read()), found.sha256
