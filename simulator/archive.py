"""The archive's routes, ``/data/…``: daily and monthly zips of the made-up market, their CHECKSUMs, a served folder."""

import asyncio
from collections.abc import Hashable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from itertools import chain
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.archive_rows import csv_parts
from simulator.exchange import Exchange
from simulator.faults import Faults
from simulator.gate import guarded
from simulator.zip_faults import NO_ZIP, alter, concerns, odd_sum, wrong_sum
from simulator.zip_names import ZipName, read_path
from simulator.zips import Shelf, Zip, etag, pack

_CHECKSUM = ".CHECKSUM"


class Archive:
    """What lies under ``/data``: zips made on demand and kept a while, and those of a folder in place of them."""

    def __init__(self, exchange: Exchange, faults: Faults, folder: Path | None = None) -> None:
        self._exchange, self._faults, self._folder = exchange, faults, folder
        self._shelf = Shelf()
        self._making: dict[Hashable, asyncio.Task[Zip | None]] = {}

    def routes(self) -> list[Route]:
        """Return the routes: GET and HEAD of anything below ``/data``."""
        return [Route("/data/{rest:path}", guarded(self._faults, self.answer))]

    async def answer(self, request: Request) -> Response:
        """Answer with a zip, its CHECKSUM, or S3's 404."""
        path = str(request.scope["path"])
        zip_path = path.removesuffix(_CHECKSUM)
        original = await self._find(zip_path)
        sums = path != zip_path
        if original is None or self._hit("missing_checksum" if sums else "missing_zip", path):
            return _no_such_key(path)
        found = await self._altered(original, zip_path)
        if not sums:
            data = NO_ZIP if self._hit("corrupt_zip", path) else found.data
            return _file(request, data, etag(data) if data is NO_ZIP else found.etag, found.since, "application/zip")
        name = path.rpartition("/")[2]
        told = self._lying(name) if found is original else None
        if told is None:
            told = f"{found.sha256}  {name.removesuffix(_CHECKSUM)}".encode()
        if self._hit("wrong_checksum", path):
            told = wrong_sum(told)
        for fault in self._faults.active("odd_checksum"):
            if concerns(fault, path) and self._faults.hit(fault):
                told = odd_sum(told, fault.parameters["shape"])
        return _file(request, told, etag(told), found.since, "binary/octet-stream")

    async def _find(self, path: str) -> Zip | None:
        name = path.rpartition("/")[2]
        lying = self._lying(name)
        if lying is not None and self._folder:
            return Zip(lying, int((self._folder / name).stat().st_mtime))
        wanted = read_path(path)
        if wanted is None or not self._published(wanted):
            return None
        return await self._made(wanted, path)

    def _lying(self, name: str) -> bytes | None:
        """Return the bytes of a file that lies in the served folder."""
        if self._folder is None or "/" in name or "\\" in name or not name.endswith((".zip", _CHECKSUM)):
            return None
        file = self._folder / name
        return file.read_bytes() if file.is_file() else None

    async def _altered(self, found: Zip, path: str) -> Zip:
        """Return a file as the faults about its content have it: a file that was altered stays so while they stand."""
        for fault in self._faults.standing("revised", "evil_zip"):
            if concerns(fault, path) and self._faults.hit_file(fault, path):
                key = (fault.id, fault.began, path, found.etag)
                if key not in self._shelf:
                    self._shelf.put(key, await asyncio.to_thread(alter, found, fault))
                found = self._shelf.get(key) or found
        return found

    def _hit(self, kind: str, path: str) -> bool:
        faults = self._faults
        return any(concerns(fault, path) and faults.hit(fault) for fault in faults.active(kind))

    def _published(self, name: ZipName) -> bool:
        exchange = self._exchange
        if not exchange.listed(name.symbol) or name.to_us > exchange.horizon_us:
            return False
        if name.kind in ("metrics", "fundingRate") and name.symbol not in exchange.contracts:
            return False
        return name.published_us <= exchange.now_us() and name.to_us > exchange.market(name.symbol).start_us

    async def _made(self, name: ZipName, path: str) -> Zip | None:
        """Return a zip from the shelf, or have it made once however many ask for it."""
        gaps = self._exchange.gaps(name.symbol, path, name.from_us, name.to_us) if name.kind == "klines" else []
        shifts = self._exchange.shifts(name.symbol, path) if name.kind == "klines" else []
        key = (name, min(self._exchange.made_until(name.symbol), name.to_us), *gaps, *shifts)
        if key in self._shelf:
            return self._shelf.get(key)
        if key not in self._making:
            self._making[key] = asyncio.create_task(asyncio.to_thread(make, self._exchange, name, gaps, shifts))
        try:
            found = await asyncio.shield(self._making[key])
        finally:
            if key in self._making and self._making[key].done():
                del self._making[key]
        if key not in self._shelf:
            self._shelf.put(key, found)
        return found


def make(
    exchange: Exchange, name: ZipName, gaps: Sequence[tuple[int, int]] = (), shifts: Sequence[tuple[int, int, int]] = ()
) -> Zip | None:
    """Return the zip of a span without ``gaps`` and with ``shifts`` of klines, or None where it has no row."""
    parts = csv_parts(exchange, name, gaps, shifts)
    first = next(parts, None)
    if first is None:
        return None
    since = name.published_us // 1_000_000
    return Zip(pack((f"{name.stem}.csv", chain([first], parts))), since).summed()


def _file(request: Request, data: bytes, tag: str, since: int, media_type: str) -> Response:
    headers = {"ETag": tag, "Last-Modified": format_datetime(datetime.fromtimestamp(since, UTC), usegmt=True)}
    if tag in [item.strip() for item in request.headers.get("If-None-Match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(data, 200, headers, media_type=media_type)


def _no_such_key(path: str) -> Response:
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code>'
        f"<Message>The specified key does not exist.</Message><Key>{escape(path.lstrip('/'))}</Key></Error>"
    )
    return Response(text, 404, media_type="application/xml")
