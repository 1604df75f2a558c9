"""Raw parts that have not been read as they are now: new or changed ones, found from the data and the ledger."""

from collections.abc import Iterator

from lake import raw
from lake.layout import Layout
from lake.ledger import Ledger
from lake.raw import Part


def scan(layout: Layout, ledger: Ledger) -> Iterator[list[Part]]:
    """Yield the parts of each day folder that are new or changed.

    Of days that are compacted a folder's time of change tells whether to look; of others each part's size and time.
    """
    read_as = ledger.folders()
    compacted = set(layout.compacted_days(ledger.symbol))
    present = raw.days(layout, ledger.symbol)
    for day in ledger.part_days() - set(present):
        ledger.lose(day, ledger.parts(day))
    for day, mtime_ns in present.items():
        if day in compacted and read_as.get(day) == mtime_ns:
            continue
        raw.adopt_orphans(layout, [layout.raw_day(ledger.symbol, day)])
        mtime_ns = layout.raw_day(ledger.symbol, day).stat().st_mtime_ns
        is_settled = raw.settled(mtime_ns)
        here, known = raw.parts(layout, ledger.symbol, day), ledger.parts(day)
        if lost := set(known) - {part.name for part in here}:
            ledger.lose(day, lost)
        changed = [part for part in here if known.get(part.name) != part]
        if changed:
            yield changed
        elif day in compacted and is_settled:
            ledger.folder_read(day, mtime_ns)


def batches(layout: Layout, ledger: Ledger, most_bytes: int) -> Iterator[list[Part]]:
    """Yield the same parts in batches of so many bytes, or of one part that is larger."""
    batch: list[Part] = []
    size = 0
    for part in (part for changed in scan(layout, ledger) for part in changed):
        if batch and size + part.size > most_bytes:
            yield batch
            batch, size = [], 0
        batch.append(part)
        size += part.size
    if batch:
        yield batch
