"""Funding and open interest of USD-M perpetuals into the lake: only what is missing, and nothing twice.

REST has all fundings, and the open interest of the last 30 days. Older open interest comes from the archive; so do
contracts that REST no longer knows, and the times of which REST has nothing although it knows the name: a ticker can
be used again. All is written as it comes: a killed run loses at most the answers it was at, and the next one goes on
there.
"""

import time
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from lake import derivatives_store, early_interest, futures, locks
from lake.archive_futures import ArchiveFutures
from lake.early_interest import EarlyInterest
from lake.fundings import Fundings
from lake.futures import UNKNOWN_CONTRACT, Futures
from lake.history import History
from lake.layout import Layout
from lake.open_interest import OpenInterest
from lake.progress import Progress, quiet
from lake.sections import Binance
from lake.web import RefusedError, Web
from lake.windows import Window


@dataclass(frozen=True)
class Collected:
    """What a run did for one contract.

    Attributes:
        symbol: The contract.
        fundings: Fundings added.
        interests: Moments of open interest added.
        absent: Moments that the exchange turned out to have no open interest of.
        left: Moments that could not be had yet; a later run asks again.
        hours_left: Hours of which it is not known yet that all fundings are held; a later run asks again.
        quarantined: Zips that could not be believed.
        refused: Rows of answers and zips that could not be believed.
        contradictions: Fundings and moments of which two rows differ.
        mended: Moments that an older version had stored five minutes early.
        known: Whether there is such a contract: at the exchange, in its archive or in the lake.
        served: False where the exchange does not serve this place (HTTP 451).
        seconds: How long it took.
    """

    symbol: str
    fundings: int = 0
    interests: int = 0
    absent: int = 0
    left: int = 0
    hours_left: int = 0
    quarantined: int = 0
    refused: int = 0
    contradictions: int = 0
    mended: int = 0
    known: bool = True
    served: bool = True
    seconds: float = 0.0


def run(
    layout: Layout, hosts: Binance, symbol: str, window: Window, now: datetime, compression: str = "snappy",
    progress: Progress = quiet,
) -> Collected:  # fmt: skip
    """Fetch what the lake lacks of a contract's fundings and open interest in a window, and write it.

    Args:
        layout: Where the lake is.
        hosts: Where the exchange and its archive are.
        symbol: The contract, such as SOLUSDT.
        window: Times of fundings and open interest.
        now: The present; nothing later is asked for, and it decides what will not come any more.
        compression: Parquet's codec.
        progress: Told of each answer.

    Raises:
        RestrictedError: the exchange does not serve this place.
        LakeError: something could not be fetched or written. What was written before that stays.
    """
    started = time.monotonic()
    if window.start >= now:
        return Collected(symbol)
    with (
        locks.derivatives(layout, symbol),
        History(layout, symbol, "funding") as unpaid,
        History(layout, symbol, "open_interest") as holes,
        History(layout, symbol, early_interest.SERIES) as judged,
        futures.connected(layout, hosts.futures_url) as rest,
        Web(hosts.archive_url) as web,
    ):
        paid = Fundings(layout, symbol, window, now, unpaid, compression)
        interest = OpenInterest(layout, symbol, window, now, holes, compression)
        early = EarlyInterest(layout, symbol, now, judged, compression)
        held, zips = derivatives_store.holds(layout, symbol), ArchiveFutures(web, layout, symbol)
        known, alive = _fetch(paid, interest, rest, zips, held, progress)
        mended = early.mend(zips, partial(_part, progress, 0.5), alive=alive) if known else 0
        hours_left = paid.hours_left() if known else 0
    return Collected(
        symbol, paid.added, interest.added, interest.absent, interest.left, hours_left,
        paid.quarantined + interest.quarantined, paid.refused + interest.refused,
        paid.contradictions + interest.contradictions, mended, known, seconds=round(time.monotonic() - started, 3),
    )  # fmt: skip


def _fetch(
    paid: Fundings, interest: OpenInterest, rest: Futures, zips: ArchiveFutures, held: bool, progress: Progress
) -> tuple[bool, bool]:  # fmt: skip
    """Have all of it fetched; return whether there is such a contract, and whether REST knows it."""
    alive = True
    try:
        quiet = paid.by_rest(rest)
        wanted = interest.by_rest(rest, partial(_part, progress, 0.0))
    except RefusedError as error:
        if error.code != UNKNOWN_CONTRACT:
            raise
        if not (paid.by_archive(zips, paid.lacking(), alive=False) or held or interest.in_archive(zips)):
            return False, False
        wanted, alive = interest.lacking(), False
    else:
        paid.by_archive(zips, quiet, alive=True)
        paid.by_archive(zips, paid.unheard, alive=None)
    interest.by_archive(zips, wanted, partial(_part, progress, 0.5))
    return True, alive


def _part(progress: Progress, before: float, done: float, what: str) -> None:
    progress(before + done / 2, what)
