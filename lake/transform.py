"""Raw parts to 1-second bars: what is pending is found from the data, only hours whose input changed are built.

Order of things, so that a kill at any moment costs nothing: parts are read and their hours noted as dirty in one
transaction; bars are written whole; only then is an hour no longer dirty. Twice gives once.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow.compute as pc
from loguru import logger

from lake import contradictions, hour_bars, locks, never_existed, quarantine, seams, seconds, unread
from lake.events import Events
from lake.layout import Layout
from lake.ledger import Ledger
from lake.surroundings import Piece
from lake.windows import Window, floor_hour, iso

BATCH_BYTES = 256 << 20
_MOST_HOURS = 48


@dataclass(frozen=True)
class Built:
    """What a run did for one symbol.

    ``missing``: seconds without a bar between the first and the last bar of each hour; ``quarantined``: raw lines that
    could not be used; ``kept``: hours left as they are because raw parts are gone; ``seconds``: how long it took;
    ``never_existed``: trade ids settled as never existed; ``withdrawn``: trade ids of which that was taken back;
    ``numberings``: how often trade ids were found to start again (`lake.numbering`); ``contradictions``: lines of the
    hours built that contradict the trade which holds under their id (`lake.contradictions`).
    """

    symbol: str
    hours: int = 0
    rows: int = 0
    missing: int = 0
    quarantined: int = 0
    kept: int = 0
    seconds: float = 0.0
    never_existed: int = 0
    withdrawn: int = 0
    numberings: int = 0
    contradictions: int = 0


def pending(layout: Layout, symbols: Iterable[str] | None = None, window: Window | None = None) -> list[str]:
    """Return the symbols with something to build: parts that are new or changed, or hours noted as dirty.

    With a window every symbol that has raw parts is returned: its hours there are built again.
    """
    names = list(symbols) if symbols is not None else layout.raw_symbols()
    return [name for name in names if (layout.raw / name).is_dir() and _is_pending(layout, name, window)]


def _is_pending(layout: Layout, symbol: str, window: Window | None) -> bool:
    if window is not None:
        return True
    with Ledger(layout, symbol) as ledger:
        return bool(ledger.dirty()) or any(unread.scan(layout, ledger))


def run(layout: Layout, symbol: str, window: Window | None = None, compression: str = "snappy") -> Built:
    """Build the dirty hours of a symbol; with a window, every hour that it touches.

    Returns:
        What was done. A second run at once does nothing.

    Raises:
        LakeError: the lake cannot be written, or the ledger is damaged.
    """
    started = time.monotonic()
    with locks.bars(layout, symbol), Ledger(layout, symbol) as ledger:
        work = _Work(layout, ledger, window, compression)
        work.take_in()
        work.build_rest()
        return work.result(time.monotonic() - started)


class _Work:
    """One run for one symbol."""

    def __init__(self, layout: Layout, ledger: Ledger, window: Window | None, compression: str) -> None:
        self.layout, self.ledger, self.events = layout, ledger, Events(ledger.symbol)
        self.window, self.compression = window, compression
        self.quarantined = self.kept = self.never_existed = self.withdrawn = 0
        self.tables: dict[int, tuple[int, int]] = {}
        self.contradictions: dict[int, int] = {}
        seams.catch_up(layout, ledger, self.events)
        self.before = ledger.ids.numberings

    def result(self, seconds: float) -> Built:
        """Say what was done."""
        rows, missing = (sum(numbers) for numbers in zip(*self.tables.values(), strict=True)) if self.tables else (0, 0)
        return Built(
            self.ledger.symbol, len(self.tables), rows, missing, self.quarantined, self.kept, round(seconds, 3),
            self.never_existed, self.withdrawn, len({*self.ledger.ids.numberings.starts} - {*self.before.starts}),
            sum(self.contradictions.values()),
        )  # fmt: skip

    def take_in(self) -> None:
        """Read what is new or changed, batch by batch, and build the hours it touches."""
        for batch in unread.batches(self.layout, self.ledger, BATCH_BYTES // 2):
            paths = {part.path(self.layout, self.ledger.symbol): part for part in batch}
            if self.events.size + sum(part.size for part in batch) > BATCH_BYTES:
                self.events.clear()
            hours, bad = self.events.add(path for path in paths if path not in self.events.paths)
            for path, lines in bad.items():
                self.quarantined += quarantine.put(self.layout, path, lines)
            with self.ledger.transaction():
                for path, part in paths.items():
                    self.ledger.put_part(part, hours[path])
            self._build(self.ledger.dirty(self.window))

    def build_rest(self) -> None:
        """Build what an earlier run left, and with a window each of its hours that was not built just now."""
        rest = self.ledger.dirty(self.window)
        if self.window is not None:
            rest = sorted(set(rest) | set(self.ledger.hours(self.window)) - set(self.tables))
        self._build(rest)

    def _build(self, hours: Iterable[int]) -> None:
        """Build hours, then those beside them whose flat bars or proofs depend on these, until none is left."""
        todo = list(hours)
        while todo:
            affected: set[int] = set()
            for group in self._groups(todo):
                able, stale = self._hold(group)
                affected |= stale | self._write(able)
            todo = sorted(set(self.ledger.dirty()) & affected)

    def _groups(self, hours: Iterable[int]) -> Iterator[list[int]]:
        """Yield the hours that can be built, as many at a time as fit into memory, their parts being there."""
        group: list[int] = []
        wanted: dict[Path, int] = {}
        for hour in hours:
            more = self._parts(hour)
            if group and (sum((wanted | more).values()) > BATCH_BYTES or len(group) == _MOST_HOURS):
                self._load(wanted)
                yield group
                group, wanted = [], {}
            group.append(hour)
            wanted |= more
        if group:
            self._load(wanted)
            yield group

    def _load(self, wanted: dict[Path, int]) -> None:
        missing = {path: size for path, size in wanted.items() if path not in self.events.paths}
        if missing and self.events.size + sum(missing.values()) > BATCH_BYTES:
            self.events.clear()
            missing = wanted
        self.events.add(missing)

    def _parts(self, hour: int) -> dict[Path, int]:
        folder = partial(self.layout.raw_day, self.ledger.symbol)
        return {folder(day) / name: size for day, name, size in self.ledger.parts_of_hour(hour)[0]}

    def _hold(self, hours: Sequence[int]) -> tuple[list[int], set[int]]:
        """Note in the ledger what the hours hold. Returns the hours to write, and those beside them that become dirty.

        Hours with lines of one id (one trade, two trade times) are built together, so that the same rule decides
        between these lines whichever hour is dirty.
        """
        affected = seams.find(self.layout, self.ledger, self.events, hours)
        found = seconds.hold(self.events, hours, self.ledger.ids.numberings)
        while others := {o for hour in hours for o in self.ledger.ids.sharing(hour, found[hour])} - set(found):
            hours = sorted({*hours, *others})
            self._load({path: size for hour in hours for path, size in self._parts(hour).items()})
            affected |= seams.find(self.layout, self.ledger, self.events, hours)
            found = seconds.hold(self.events, hours, self.ledger.ids.numberings)
        able = [hour for hour in hours if not self._keeps(hour, found[hour])]
        with self.ledger.transaction():
            for hour in able:
                affected |= self.ledger.ids.holds(hour, found[hour])
            stale = self.ledger.ids.stale(affected - set(hours))
            self.ledger.mark_dirty(stale)
        return able, set(stale)

    def _keeps(self, hour: int, pieces: Iterable[Piece]) -> bool:
        """Whether an hour keeps its bars, because raw parts are gone (or the ledger is) and it would lose trades.

        A trade that another hour has now, by a line with another trade time, is not lost.
        """
        known = self.ledger.ids.count(hour)
        if known is not None and not self.ledger.parts_of_hour(hour)[1]:
            return False
        there = hour_bars.there(self.layout, self.ledger.symbol, hour)
        before = 0 if there is None else max(known or 0, pc.sum(there["trade_count"]).as_py() or 0)
        if sum(piece.count for piece in pieces) >= before:
            return False
        self._keep(hour)
        return True

    def _keep(self, hour: int) -> None:
        logger.warning(
            "{} {}: raw parts of this hour are gone, so its bars are kept as they are; "
            "put the parts back to have it built again", self.ledger.symbol, iso(floor_hour(hour)),
        )  # fmt: skip
        self.ledger.kept(hour)
        self.kept += 1

    def _write(self, hours: Sequence[int]) -> set[int]:
        """Write the bars of some hours and settle the holes in their ids. Returns the hours that this makes dirty."""
        found = seconds.contradictions(self.events)
        surroundings = {hour: self.ledger.ids.surroundings(hour) for hour in hours}
        for hour, table in seconds.build(self.events, surroundings).items():
            mine = [one for one in found if one.hour == hour]
            self.contradictions[hour] = contradictions.put(self.layout, self.ledger.symbol, hour, mine)
            hour_bars.write(self.layout, self.ledger.symbol, hour, table, self.compression)
            self.tables[hour] = (len(table), hour_bars.missing(table))
        settled = never_existed.settle(self.layout, self.ledger, hours)
        self.never_existed += sum(gap.count for gap in settled.new)
        self.withdrawn += sum(gap.count for gap in settled.withdrawn)
        with self.ledger.transaction():
            for hour in hours:
                self.ledger.built(hour, surroundings[hour])
            stale = self.ledger.ids.stale(settled.hours)
            self.ledger.mark_dirty(stale)
        return set(stale)
