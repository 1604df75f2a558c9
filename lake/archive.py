"""The exchange's public archive of zips: fetched, compared with their CHECKSUM, unpacked with suspicion.

Addresses: ``/data/<market>/<daily|monthly>/<type>/<SYMBOL>/[<interval>/]<SYMBOL>-<type or interval>-<date>.zip``, with
``.CHECKSUM`` beside each: ``<sha256>  <file name>``. Source: the readme of binance-public-data.
"""

import io
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal, TypeVar
from urllib.parse import quote

import pyarrow as pa
import pyarrow.csv as pacsv
from loguru import logger

from lake import files
from lake.errors import LakeError
from lake.intervals import Interval
from lake.layout import Layout
from lake.web import NotThereError, Web, sha256
from lake.windows import DAY, Window

T = TypeVar("T")
Frequency = Literal["daily", "monthly"]
MICROSECONDS_FROM = date(2025, 1, 1)
"""Spot files of this day and later have microseconds, all earlier ones milliseconds (readme, "Note")."""
_LARGEST_BYTES = 4 << 30
"""A month of trades of the busiest pair has about 1 GB unpacked."""


class ArchiveError(LakeError):
    """A zip that cannot be believed; the message says which and why, and where in the quarantine it is."""


@dataclass(frozen=True)
class Place:
    """One zip: ``folder`` on the host, and the file's ``name``."""

    folder: str
    name: str

    @property
    def path(self) -> str:
        """The path on the host, percent-encoded."""
        return quote(f"{self.folder}/{self.name}")


def klines(symbol: str, interval: Interval, day: date, frequency: Frequency) -> Place:
    """Return where the spot klines of a day, or of its month, are. A month's interval is called ``1mo`` there."""
    name = "1mo" if interval == "1M" else interval
    when = f"{day:%Y-%m-%d}" if frequency == "daily" else f"{day:%Y-%m}"
    return Place(f"/data/spot/{frequency}/klines/{symbol}/{name}", f"{symbol}-{name}-{when}.zip")


def unit_us(day: date) -> int:
    """Return how many microseconds a unit of time has in the spot files of a day."""
    return 1 if day >= MICROSECONDS_FROM else 1000


def published(day: date, now: datetime) -> bool:
    """Whether a day's files are surely there: they come on the day after, now and then a day later."""
    return Window.of_day(day).end + DAY <= now


def month_over(day: date, now: datetime) -> bool:
    """Whether the month of a day is over, so that there may be a monthly file."""
    return datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC) <= now


def checksum(web: Web, place: Place) -> str | None:
    """Return the SHA-256 that the archive says a zip has; None where it says none.

    Raises:
        WebError: no answer.
    """
    try:
        words = web.get(f"{place.path}.CHECKSUM").body.decode("utf-8", "replace").split()
    except NotThereError:
        return None
    return words[0].lower() if words else None


def fetch(
    web: Web, layout: Layout, place: Place, parse: Callable[[bytes], T], *, unsigned: bool = False
) -> tuple[T, str]:  # fmt: skip
    """Fetch a zip, compare it with its CHECKSUM, unpack its one CSV and parse that.

    Args:
        web: The connection to the archive.
        layout: Where the lake is.
        place: The zip.
        parse: Makes something of the CSV.
        unsigned: Accept a zip without a CHECKSUM; its CRC-32 is still verified, and ``parse`` judges its rows.

    Returns:
        What ``parse`` makes of the CSV, and the zip's SHA-256.

    Raises:
        NotThereError: the archive has no such zip.
        ArchiveError: it has no CHECKSUM, or another, or is no zip with just that CSV, or ``parse`` raised a LakeError.
            It is in the quarantine.
        WebError: no answer.
    """
    data = web.get(place.path).body
    said, found = checksum(web, place), sha256(data)
    try:
        if said is None and unsigned:
            logger.warning("{}: it has no CHECKSUM; its CRC-32 and its rows are verified", place.name)
        elif said != found:
            raise LakeError(f"its CHECKSUM says {said or 'nothing'}, it has {found}")
        return parse(_csv(data, place)), found
    except LakeError as error:
        kept = layout.quarantine / "archive" / place.name
        with files.whole(kept) as hidden:
            hidden.write_bytes(data)
        files.write_text(kept.with_name(f"{place.name}.reason.txt"), f"{place.folder}/{place.name}: {error}\n")
        raise ArchiveError(f"{place.name}: {error}: it is in {kept.parent}") from error


def table(text: bytes, kinds: Sequence[pa.DataType]) -> list[pa.ChunkedArray]:
    """Read a CSV whose columns are of these types; a header row, which newer futures files have, is left out.

    Raises:
        LakeError: a row has another number of fields, or a field is of another type.
    """
    names = [str(at) for at in range(len(kinds))]
    reading = pacsv.ReadOptions(column_names=names, skip_rows=0 if text[:1].isdigit() else 1, use_threads=False)
    options = pacsv.ConvertOptions(
        column_types=dict(zip(names, kinds, strict=True)), null_values=[], strings_can_be_null=False
    )
    try:
        return list(pacsv.read_csv(io.BytesIO(text), read_options=reading, convert_options=options).columns)
    except pa.ArrowException as error:
        raise LakeError(f"its CSV is not as documented ({str(error)[:160]})") from error


def _csv(data: bytes, place: Place) -> bytes:
    """Unpack the one member, which must have the zip's own name. Nothing is written to disk, so no path can escape."""
    wanted = place.name.removesuffix(".zip") + ".csv"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            members = opened.infolist()
            if [member.filename for member in members] != [wanted]:
                names = ", ".join(repr(member.filename)[:80] for member in members[:3])
                raise LakeError(f"its members are {names or 'none'}, expected {wanted} alone")
            if members[0].file_size > _LARGEST_BYTES:
                raise LakeError(f"its member has {members[0].file_size:,} bytes, more than any file there")
            return opened.read(members[0])
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise LakeError(f"it cannot be unpacked ({error})") from error
