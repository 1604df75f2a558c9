"""Raw parts to 1-second bars: what is pending is found from the data, only hours whose input changed are built.

Order of things, so that a kill at any moment costs nothing: parts are read and their hours noted as dirty in one
transaction; bars are written whole; only then is an hour no longer dirty. Twice gives once.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from loguru import logger

from lake import contradictions, damage, hour_bars, locks, never_existed, quarantine, raw_sums, seams, seconds, unread
from lake.errors import DamagedError
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
    hours built that contradict the trade which holds under their id (`lake.contradictions`); ``damaged``: raw parts and
    files of bars that were set aside; ``lost``: hours whose bars are gone and cannot be built again.
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
    damaged: int = 0
    lost: int = 0


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
        return bool(ledger.dirty()) or any(unread.scan(layout, ledger)) or bool(hour_bars.vanished(layout, ledger))


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
        ledger.mark_dirty(hour_bars.vanished(layout, ledger))
        work.take_in()
        work.build_rest()
        return work.result(time.monotonic() - started)


class _Work:
    """One run for one symbol."""

    def __init__(self, layout: Layout, ledger: Ledger, window: Window | None, compression: str) -> None:
        self.layout, self.ledger, self.events = layout, ledger, Events(ledger.symbol)
        self.window, self.compression = window, compression
        self.quarantined = self.kept = self.never_existed = self.withdrawn = self.damaged = self.lost = 0
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
            sum(self.contradictions.values()), self.damaged, self.lost,
        )  # fmt: skip

    def take_in(self) -> None:
        """Read what is new or changed, batch by batch, and build the hours it touches."""
        for batch in unread.batches(self.layout, self.ledger, BATCH_BYTES // 2):
            paths = {part.path(self.layout, self.ledger.symbol): part for part in batch}
            if self.events.size + sum(part.size for part in batch) > BATCH_BYTES:
                self.events.clear()
            for path in self._verify(path for path in paths if path not in self.events.paths):
                del paths[path]
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
        while rest:
            before = self.damaged
            self._build(rest)
            rest = self.ledger.dirty(self.window) if self.damaged > before else []

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
        damaged = self._verify(missing)
        self.events.add(path for path in missing if path not in damaged)

    def _verify(self, paths: Iterable[Path]) -> list[Path]:
        """Set aside the raw parts that are damaged, and return their paths; for the ledger they are gone."""
        damaged, _ = raw_sums.verify(paths)
        for error in damaged:
            damage.set_aside(self.layout, error)
            self.ledger.lose(date.fromisoformat(error.path.parent.name), [error.path.name])
        self.damaged += len(damaged)
        return [error.path for error in damaged]

    def _there(self, hour: int) -> pa.Table | None:
        try:
            return hour_bars.there(self.layout, self.ledger.symbol, hour)
        except DamagedError:
            self.damaged += 1
            return hour_bars.sound(self.layout, self.ledger, hour)

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
        there = self._there(hour)
        before = 0 if there is None else pc.sum(there["trade_count"]).as_py() or 0
        now = sum(piece.count for piece in pieces)
        if now < (known or 0) > before:
            self._lose(hour, known or 0, max(now, before))
        if now >= before:
            return False
        self._keep(hour, "raw parts of this hour are gone", "put the parts back to have it built again")
        return True

    def _lose(self, hour: int, known: int, held: int) -> None:
        """Report bars that are gone and cannot be built again; from now on the ledger knows only what is there."""
        why = f"{known - held:,} of its {known:,} trades are gone: neither its bars nor its raw parts have them"
        damage.note(self.layout, self.layout.hour_file(self.ledger.symbol, floor_hour(hour)), why)
        logger.error("{} {}: {}; restore a backup", self.ledger.symbol, iso(floor_hour(hour)), why)
        self.ledger.forget_bars(hour)
        self.lost += 1

    def _keep(self, hour: int, why: str, remedy: str) -> None:
        when = iso(floor_hour(hour))
        logger.warning("{} {}: {}, so its bars are kept as they are; {}", self.ledger.symbol, when, why, remedy)
        self.ledger.kept(hour)
        self.kept += 1

    def _write(self, hours: Sequence[int]) -> set[int]:
        """Write the bars of some hours and settle the holes in their ids. Returns the hours that this makes dirty."""
        found = seconds.contradictions(self.events)
        trades: dict[int, int] = {}
        in_doubt = {hour for one in found for hour in one.hours}
        surroundings = {hour: self.ledger.ids.surroundings(hour) for hour in hours}
        for hour, table in seconds.build(self.events, surroundings).items():
            there = self._there(hour)
            unknown = self.ledger.ids.count(hour) is None and hour not in in_doubt
            if unknown and hour_bars.contradicts(there, table):
                why = "the ledger was lost, and raw parts have other values for the same trades"
                self._keep(hour, why, "where the raw parts are right, move its bars away to have it built again")
                del surroundings[hour]
                continue
            mine = [one for one in found if one.hour == hour]
            self.contradictions[hour] = contradictions.put(self.layout, self.ledger.symbol, hour, mine)
            hour_bars.write(self.layout, self.ledger.symbol, hour, table, there, self.compression)
            self.tables[hour] = (len(table), hour_bars.missing(table))
            trades[hour] = pc.sum(table["trade_count"]).as_py() or 0
        settled = never_existed.settle(self.layout, self.ledger, hours)
        self.never_existed += sum(gap.count for gap in settled.new)
        self.withdrawn += sum(gap.count for gap in settled.withdrawn)
        with self.ledger.transaction():
            for hour in surroundings:
                self.ledger.built(hour, surroundings[hour], trades.get(hour, 0))
            stale = self.ledger.ids.stale(settled.hours)
            self.ledger.mark_dirty(stale)
        return set(stale)
