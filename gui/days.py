"""Bars of long ranges, a day at a time: what was asked for once is asked again only where the files of a day differ.

A bar lies in one UTC day, so that days are put together as they are. With a day its files are kept, by name, time and
size: a new hour, or one that late trades made anew, is another list. So of 30 days a refresh reads one.
"""

from collections import OrderedDict
from collections.abc import Callable
from datetime import date
from threading import Lock

import pyarrow as pa
import pyarrow.compute as pc

from lake.layout import Layout
from lake.timeframes import Timeframe
from lake.windows import Window

MOST_DAYS = 3000
"""Days that are kept; of 15m bars one takes 10 kB."""
Files = tuple[tuple[str, int, int], ...]
Key = tuple[str, str, Timeframe, date]
_kept: OrderedDict[Key, tuple[Files, pa.Table]] = OrderedDict()
_lock = Lock()


def bars(layout: Layout, symbol: str, window: Window, tf: Timeframe, ask: Callable[[Window], pa.Table]) -> pa.Table:
    """Return the bars that begin in a window, of which ``ask`` gives those of whole days that are not known yet."""
    days = list(window.days())
    now = {day: files(layout, symbol, day) for day in days}
    with _lock:
        found = {
            day: kept[1] for day in days if (kept := _kept.get(_key(layout, symbol, tf, day))) and kept[0] == now[day]
        }
    unknown = [day for day in days if day not in found]
    if unknown:
        asked = ask(Window(Window.of_day(unknown[0]).start, Window.of_day(unknown[-1]).end))
        for day in unknown:
            found[day] = within(asked, Window.of_day(day))
        with _lock:
            for day in unknown:
                _kept[_key(layout, symbol, tf, day)] = now[day], found[day]
            for day in days:
                if (key := _key(layout, symbol, tf, day)) in _kept:
                    _kept.move_to_end(key)
            while len(_kept) > MOST_DAYS:
                _kept.popitem(last=False)
    return within(pa.concat_tables([found[day] for day in days]).combine_chunks(), window)


def files(layout: Layout, symbol: str, day: date) -> Files:
    """Return name, time and size of the files of a day that are there."""
    found = []
    for path in (*layout.hour_files(symbol, day).values(), layout.day_file(symbol, day)):
        try:
            is_now = path.stat()
        except FileNotFoundError:
            continue
        found.append((path.name, is_now.st_mtime_ns, is_now.st_size))
    return tuple(found)


def within(table: pa.Table, window: Window) -> pa.Table:
    """Return the rows that begin in a window."""
    at = table["window_start"]
    start, end = (pa.scalar(one, at.type) for one in (window.start, window.end))
    return table.filter(pc.and_(pc.greater_equal(at, start), pc.less(at, end)))


def _key(layout: Layout, symbol: str, tf: Timeframe, day: date) -> Key:
    return str(layout.base), symbol, tf, day
