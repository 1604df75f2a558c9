"""Open interest and fundings out of the archive's zips of USD-M futures: ``metrics`` by day, ``fundingRate`` by month.

Source: the readme of binance-public-data, and its issue 211. A header row is there in newer files, in others not.
"""

from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lake import archive
from lake.archive import Place
from lake.errors import LakeError
from lake.futures import GRID, doubles, micros_of
from lake.intervals import opens
from lake.layout import Layout
from lake.schemas import FUNDING, OPEN_INTEREST, UTC_US
from lake.web import Web
from lake.windows import DAY, DAY_US, Window, iso, moment

PUBLISHED = 10 * DAY
"""A zip that is not there so long after its span will not come: months come on the first Monday after."""
_METRICS = [pa.string()] * 8
_FUNDINGS = [pa.int64(), pa.int64(), pa.string()]
_MS_US = 1000


class ArchiveFutures:
    """The zips of one contract, from any thread."""

    def __init__(self, web: Web, layout: Layout, symbol: str) -> None:
        """Take the connection, and where zips that cannot be believed go."""
        self._web, self._layout, self._symbol = web, layout, symbol

    def metrics(self, day: date) -> pa.Table:
        """Return the open interest in a day's zip, as `lake.schemas.OPEN_INTEREST`, in order.

        Files run from 00:00 to 23:55, or from 00:05 to the midnight that ends the day. CSV: create_time (``2025-10-20
        00:05:00``, UTC), symbol, sum_open_interest (base), sum_open_interest_value (quote), and four ratios; a row
        without one of the two sums is none, and of rows of the same time the first counts.

        Raises:
            NotThereError: the archive has no such zip (yet).
            ArchiveError: it cannot be believed, and is in the quarantine.
            WebError: no answer.
        """
        return archive.fetch(
            self._web, self._layout, self._place("daily", "metrics", f"{day:%Y-%m-%d}"),
            lambda text: _metrics(self._symbol, Window.of_day(day), text),
        )[0]  # fmt: skip

    def fundings(self, month: date) -> pa.Table:
        """Return the fundings in a month's zip, as `lake.schemas.FUNDING` without mark prices, in order.

        CSV: calc_time (ms), funding_interval_hours, last_funding_rate. Raises what `metrics` does.
        """
        return archive.fetch(
            self._web, self._layout, self._place("monthly", "fundingRate", f"{month:%Y-%m}"),
            lambda text: _fundings(self._symbol, month_of(month), text),
        )[0]  # fmt: skip

    def _place(self, frequency: str, kind: str, when: str) -> Place:
        folder = f"/data/futures/um/{frequency}/{kind}/{self._symbol}"
        return Place(folder, f"{self._symbol}-{kind}-{when}.zip")


def month_of(day: date) -> Window:
    """Return the UTC month in which a day lies."""
    first = Window.of_day(day.replace(day=1)).start
    return Window(first, datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=first.tzinfo))


def _metrics(symbol: str, day: Window, text: bytes) -> pa.Table:
    times, names, *amounts = archive.table(text, _METRICS)[:4]
    if others := set(names.unique().to_pylist()) - {symbol}:
        raise LakeError(f"it has rows of {min(others)[:40]!r}")
    try:
        at = times.cast(pa.timestamp("us")).cast(pa.int64())
    except pa.ArrowException as error:
        raise LakeError(f"a create_time is none ({str(error)[:120]})") from error
    found = pa.table([names, at.cast(UTC_US), *(doubles("it", a) for a in amounts)], names=OPEN_INTEREST.names)
    grid = opens(GRID, day.start_us, day.end_us + 1)
    _refuse(at.to_numpy(), np.isin(at.to_numpy(), grid), day)
    found = found.filter(pc.and_(pc.is_valid(found["open_interest"]), pc.is_valid(found["open_interest_value"])))
    _, first = np.unique(np.array(micros_of(found, "ts"), np.int64), return_index=True)
    return OPEN_INTEREST.conform(found.take(pa.array(first)))


def _fundings(symbol: str, month: Window, text: bytes) -> pa.Table:
    ms, _, rates = archive.table(text, _FUNDINGS)
    at = ms.to_numpy()
    inside = (at >= month.start_us // _MS_US) & (at < month.end_us // _MS_US)
    _refuse(np.clip(at, 0, 2**62 // DAY_US) * _MS_US, inside, month)
    if (np.diff(at) <= 0).any():
        raise LakeError("its fundings are not in order")
    nothing = pa.nulls(len(at), pa.float64())
    times = pa.array(at * _MS_US).cast(UTC_US)
    values = [pa.array([symbol] * len(at), pa.string()), times, doubles("it", rates), nothing]
    return FUNDING.conform(pa.table(values, names=FUNDING.names))


def _refuse(times: "np.typing.NDArray[np.int64]", good: "np.typing.NDArray[np.bool_]", window: Window) -> None:
    if not len(times):
        raise LakeError("it has no row")
    if not good.all():
        raise LakeError(f"it has a row of {iso(moment(int(times[~good][0])))}, which is none of {window}")
