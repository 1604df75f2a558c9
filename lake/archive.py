"""The exchange's public archive of zips: fetched, compared with their CHECKSUM, unpacked with suspicion.

Addresses: ``/data/<market>/<daily|monthly>/<type>/<SYMBOL>/[<interval>/]<SYMBOL>-<type or interval>-<date>.zip``, with
``.CHECKSUM`` beside each: ``<sha256>  <file name>``. Source: the readme of binance-public-data.
"""

import codecs
import io
import re
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
SETTLED = 10 * DAY
"""A zip that is not there so long after its month will not come: months come on the first Monday after."""
_SHA256 = re.compile(rb"\b[0-9a-fA-F]{64}\b")
_NUMBER = re.compile(rb"[+-]?\.?[0-9]")
"""How a number begins, or a date."""
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
        found = _SHA256.search(web.get(f"{place.path}.CHECKSUM").body)
    except NotThereError:
        return None
    return found[0].decode().lower() if found else None


@dataclass(frozen=True)
class Fetched:
    """A zip as it came: where from, its bytes and their SHA-256, and the one of its CHECKSUM, if it has any."""

    place: Place
    data: bytes
    sha256: str
    said: str | None

    def text(self) -> bytes:
        """Return its one CSV, without a byte order mark.

        Raises:
            LakeError: it has another SHA-256 than its CHECKSUM, or is no zip with just that CSV.
        """
        if self.said not in (None, self.sha256):
            raise LakeError(f"its CHECKSUM is {self.said}, its SHA-256 is {self.sha256}")
        return _csv(self.data, self.place).removeprefix(codecs.BOM_UTF8)


def download(web: Web, place: Place) -> Fetched:
    """Fetch a zip and its CHECKSUM.

    Raises:
        NotThereError: the archive has no such zip.
        WebError: no answer.
    """
    data = web.get(place.path).body
    return Fetched(place, data, sha256(data), checksum(web, place))


def refused(layout: Layout, found: Fetched, reason: LakeError) -> ArchiveError:
    """Put a zip that cannot be believed into the quarantine, its reason beside it; return the error to raise."""
    kept = layout.quarantine / "archive" / found.place.name
    with files.whole(kept) as hidden:
        hidden.write_bytes(found.data)
    files.write_text(kept.with_name(f"{kept.name}.reason.txt"), f"{found.place.folder}/{found.place.name}: {reason}\n")
    return ArchiveError(f"{found.place.name}: {reason}: it is in {kept.parent}")


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
    found = download(web, place)
    try:
        if found.said is None and not unsigned:
            raise LakeError("it has no CHECKSUM")
        if found.said is None:
            logger.warning("{}: it has no CHECKSUM; its CRC-32 and its rows are verified", place.name)
        return parse(found.text()), found.sha256
    except LakeError as error:
        raise refused(layout, found, error) from error


def headless(text: bytes) -> bytes:
    """Return a CSV without its header row: a first row in which no field is a number."""
    first, _, rest = text.partition(b"\n")
    return text if any(_NUMBER.match(field.strip(b' \t\r"')) for field in first.split(b",")) else rest


def table(text: bytes, kinds: Sequence[pa.DataType]) -> list[pa.ChunkedArray]:
    """Read a CSV whose columns are of these types; a header row, which newer futures files have, is left out.

    Raises:
        LakeError: a row has another number of fields, or a field is of another type.
    """
    rows = headless(text)
    if text.strip() and not rows.strip():
        return [pa.chunked_array([], kind) for kind in kinds]
    names = [str(at) for at in range(len(kinds))]
    reading = pacsv.ReadOptions(column_names=names, use_threads=False)
    options = pacsv.ConvertOptions(
        column_types=dict(zip(names, kinds, strict=True)), null_values=[], strings_can_be_null=False
    )
    try:
        return list(pacsv.read_csv(io.BytesIO(rows), read_options=reading, convert_options=options).columns)
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
