"""What a backfill of klines is asked for, and what comes of it."""

from dataclasses import dataclass
from typing import Literal

from lake.intervals import Interval
from lake.windows import Window

Source = Literal["auto", "rest", "archive"]


@dataclass(frozen=True)
class Job:
    """What to fetch: whose candles, of which window, from where."""

    symbol: str
    interval: Interval
    window: Window
    source: Source = "auto"

    def __str__(self) -> str:
        return self.symbol


@dataclass(frozen=True)
class Backfilled:
    """What a run did for one symbol.

    Attributes:
        symbol: The pair.
        added: Candles written.
        archived: Of these, out of the archive; the others came by REST.
        off_grid: Of these, candles that open off the interval's grid; they are at the window in which they open.
        absent: Candles that neither REST nor the archive has, as this run found out: before a listing, in an outage.
        unavailable: Candles that cannot be had: REST does not know the pair, and no zip of the archive has them. There
            may have been trades.
        left: Candles that are still missing; a later run, or one with source ``auto``, asks again.
        rows: Rows of a REST answer or a zip that are not candles; they are in the quarantine.
        revised: Candles that changed because their zip was revised upstream.
        quarantined: Zips that could not be believed.
        imperfect: Zips that were believed although something was wrong with them: no CHECKSUM, rows twice, rows that
            are not candles or not in order, times in another unit. The log names each, and what is wrong.
        seconds: How long it took.
    """

    symbol: str
    added: int = 0
    archived: int = 0
    off_grid: int = 0
    absent: int = 0
    unavailable: int = 0
    left: int = 0
    rows: int = 0
    revised: int = 0
    quarantined: int = 0
    imperfect: int = 0
    seconds: float = 0.0
