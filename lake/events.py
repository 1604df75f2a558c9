"""Raw lines as events in DuckDB: read once, checked, typed; what cannot be used is told with its place and reason."""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from lake import duck

_LONGEST_LINE = 1 << 20
Bad = list[tuple[int, str, bytes]]


class Events:
    """The trades and quotes of some parts of one symbol, in memory, with the tables of `sql/events_make.sql`."""

    def __init__(self, symbol: str) -> None:
        """Begin with no part."""
        self.symbol = symbol
        self.con = duck.memory()
        self.con.execute(duck.sql("functions"))
        self.clear()

    def clear(self) -> None:
        """Forget every event."""
        self.con.execute(duck.sql("events_make"))
        self.paths: set[Path] = set()
        self.size = 0

    def add_bars(self, bars: pa.Table) -> None:
        """Take the trade ids of 1-second bars (`lake.schemas.BARS`) in place of raw lines that are gone."""
        self.con.register("bars_1s", bars)
        self.con.execute(duck.sql("events_of_bars"))
        self.con.unregister("bars_1s")

    def add(self, paths: Iterable[Path]) -> tuple[dict[Path, list[int]], dict[Path, Bad]]:
        """Read parts that are not in memory yet.

        Returns:
            The hours (microseconds since 1970 UTC) that each part touches, and its bad lines: offset, reason, bytes.
        """
        new = {str(path): path for path in paths}
        bad: dict[Path, Bad] = {path: [] for path in new.values()}
        hours: dict[Path, list[int]] = {path: [] for path in new.values()}
        if not new:
            return hours, bad
        try:
            self._read(list(new))
        except duckdb.Error:
            return self._add_filtered(new.values())
        for name in self._suspects():
            bad[new[name]] = self._bad_lines(name, new[name])
        self._keep(new, hours)
        return hours, bad

    def _read(self, names: list[str]) -> None:
        self.con.execute(duck.sql("lines"), {"files": names, "symbol": self.symbol})

    def _suspects(self) -> list[str]:
        return [name for (name,) in self.con.sql(duck.sql("suspects")).fetchall()]

    def _keep(self, names: dict[str, Path], hours: dict[Path, list[int]]) -> None:
        for name, hour in self.con.sql(duck.sql("part_hours")).fetchall():
            hours[names[name]].append(hour)
        self.con.execute(duck.sql("events_add"))
        self.paths.update(names.values())
        self.size += sum(path.stat().st_size for path in names.values())

    def _bad_lines(self, name: str, path: Path) -> Bad:
        """The n-th row that DuckDB makes of a file is its n-th line that is not blank."""
        reasons = dict(self.con.execute(duck.sql("bad_lines"), {"filename": name}).fetchall())
        return [(at, reasons[n], line) for n, (at, line) in enumerate(_lines(path), 1) if n in reasons]

    def _add_filtered(self, paths: Iterable[Path]) -> tuple[dict[Path, list[int]], dict[Path, Bad]]:
        """Where DuckDB refuses a batch (a line of over a megabyte), read each part with such lines blotted out."""
        hours: dict[Path, list[int]] = {}
        bad: dict[Path, Bad] = {}
        for path in paths:
            hours[path] = []
            with tempfile.TemporaryDirectory() as folder:
                copy = Path(folder) / path.name
                copy.write_bytes(b"".join(_blotted(line) + b"\n" for _, line in _lines(path)))
                self._read([str(copy)])
                bad[path] = self._bad_lines(str(copy), path)
                self._keep({str(copy): path}, hours)
        return hours, bad


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that are not blank, each with its offset in bytes."""
    offset = 0
    with path.open("rb") as handle:
        for line in handle:
            if line.strip():
                yield offset, line.rstrip(b"\r\n")
            offset += len(line)


def _blotted(line: bytes) -> bytes:
    return line if len(line) < _LONGEST_LINE else b"a line of over a megabyte"
