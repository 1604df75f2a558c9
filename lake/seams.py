"""Where trade ids start again (`lake.numbering`): found from raw lines or bars, noted for those who read bars.

The ledger decides; ``ledger/gaps`` has a row for each place, of the state `lake.gaps.NEW_NUMBERING`.
"""

from collections.abc import Sequence
from datetime import date

from loguru import logger

from lake import gaps, read, seconds
from lake.errors import LakeError
from lake.events import Events
from lake.layout import Layout
from lake.ledger import Ledger
from lake.windows import DAY_US, HOUR_US, Window, iso, moment


def find(layout: Layout, ledger: Ledger, events: Events, hours: Sequence[int]) -> set[int]:
    """Find where trade ids start again in and around some hours whose lines are in memory.

    Returns:
        The hours that this makes dirty.
    """
    traces, before = seconds.trace(events, hours), ledger.ids.numberings
    with ledger.transaction():
        dirty = ledger.ids.number(traces, {hour for hour in hours if ledger.parts_of_hour(hour)[1]})
        ledger.mark_dirty(dirty)
    if ledger.ids.numberings != before:
        _put(layout, ledger)
    return dirty


def catch_up(layout: Layout, ledger: Ledger, events: Events) -> None:
    """Bring ``ledger/gaps`` up to date. A ledger that is new, or was lost, learns from the bars: raw may be gone.

    Raises:
        LakeError: the file of the gaps cannot be read or written.
    """
    for day in _days(layout, ledger) if ledger.knows_nothing() else ():
        try:
            events.add_bars(read.day(layout, ledger.symbol, day))
        except LakeError as error:
            logger.warning("{} {}: its bars cannot be read: {}", ledger.symbol, day, error)
        first = Window.of_day(day).start_us
        traces = seconds.trace(events, range(first, first + DAY_US, HOUR_US))
        with ledger.transaction():
            ledger.ids.number({hour: found for hour, found in traces.items() if found}, ())
        events.clear()
    _put(layout, ledger)


def _days(layout: Layout, ledger: Ledger) -> list[date]:
    return sorted({*layout.hour_days(ledger.symbol), *layout.compacted_days(ledger.symbol)})


def _put(layout: Layout, ledger: Ledger) -> None:
    seams = sorted(ledger.ids.seams())
    known = [gap for gap in gaps.read(layout, ledger.symbol) if gap.state == gaps.NEW_NUMBERING]
    if seams == known:
        return
    gaps.write(layout, ledger.symbol, seams, gaps.NEW_NUMBERING)
    for seam in seams:
        if seam not in known:
            logger.warning(
                "{}: trade ids start again at {}: {} follows {}; both numberings are kept",
                ledger.symbol, iso(moment(seam.to_us)), seam.last_id + 1, seam.first_id - 1,
            )  # fmt: skip
