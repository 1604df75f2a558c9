"""Receipts: what a slice was made of, so that a backtest can say what data it ran on, and prove it later.

A receipt has no time of its own, no absolute path and nothing that differs from run to run: the same slice of the same
files is the same receipt, byte for byte.

``parameters`` has the range as it was asked for; ``windows`` is the stretch that the rows' windows cover, which may
begin after the range's start and end after its end. Each of ``days`` counts the rows that begin on it. The coverage of
bars (seconds expected, held, flat, missing, complete; trades missing) is that of ``windows``: a bar that begins in the
range is counted with all of its seconds; a second of the range that belongs to no bar of the slice is not counted.
"""

import hashlib
import json
import platform
from collections.abc import Mapping
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args
from unicodedata import normalize

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from lake import files
from lake.errors import BadInputError, LakeError
from lake.inputs import Inputs
from lake.intervals import opens
from lake.layout import Layout
from lake.outputs import receipt_of
from lake.ranges import gaps
from lake.slices import Form, Slice
from lake.windows import DAY, Window, iso

_FORMAT = 1
_SECONDS = ("seconds_expected", "seconds_held", "seconds_flat", "seconds_missing", "seconds_complete", "trades_missing")
_BLOCK = 1 << 20

Rows = Mapping[tuple[str, date], int]
"""Of each symbol-day that has any, its rows."""
Coverage = Mapping[tuple[str, date], Mapping[str, Any]]
"""Of each symbol-day of bars, its row of `lake.selections.coverage`."""


def written(
    layout: Layout, wanted: Slice, file: Path, name: str, inputs: Inputs, rows: Rows, coverage: Coverage, strict: bool
) -> str:
    """Return the receipt of a slice as JSON, keys sorted, indented.

    Args:
        layout: Where the lake is.
        wanted: What was asked for.
        file: The file as it is, under whatever name.
        name: The name that it will have.
        inputs: What was read.
        rows: What was written.
        coverage: Empty for sources other than bars.
        strict: Whether a slice with holes would have been refused.
    """
    told = {
        "receipt": _FORMAT,
        "file": name,
        "bytes": file.stat().st_size,
        "sha256": sha256(file),
        "rows": sum(rows.values()),
        "parameters": _parameters(wanted) | {"require_complete": strict},
        "windows": {"start": iso(wanted.whole.start), "end": iso(wanted.whole.end)},
        "sql": wanted.sql,
        "inputs": inputs.told(layout),
        "days": _days(layout, wanted, rows, coverage),
        "days_without_rows": {symbol: _without(wanted, symbol, rows) for symbol in wanted.symbols},
        "versions": {
            "crypto-lake": version("crypto-lake"),
            "python": platform.python_version(),
            "duckdb": duckdb.__version__,
            "pyarrow": pa.__version__,
        },
    }
    return json.dumps(told, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def verify(path: Path) -> str:
    """Hold a slice, its name too, against the receipt beside it; return, in a line, that they agree.

    Raises:
        BadInputError: there is no such file, no receipt beside it, or that is no receipt.
        LakeError: they do not agree, in what; or one of them cannot be read.
    """
    if not _is_file(path):
        raise BadInputError(f"{path}: no such file")
    beside = receipt_of(path)
    if not _is_file(beside):
        raise BadInputError(f"{beside}: no such file")
    try:
        expected, form = _expected(beside)
        found = {"file": normalize("NFC", path.name), "bytes": path.stat().st_size, "SHA-256": sha256(path)}
        if found.items() <= expected.items():
            found["rows"] = _counted(path, form)
    except OSError as error:
        raise LakeError(
            f"{path}: cannot be read ({error.strerror or error}): check the file and its receipt"
        ) from error
    wrong = [
        f"{name} {found[name]}, the receipt says {expected[name]}" for name in found if found[name] != expected[name]
    ]
    if wrong:
        raise LakeError(f"{path}: is not what its receipt describes: {'; '.join(wrong)}: export the slice again")
    rows, size = expected["rows"], expected["bytes"]
    return f"{path}: as its receipt says: {rows:,} rows, {size:,} bytes, SHA-256 {found['SHA-256']}"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # no name of a file: too long, a NUL
        return False


def _expected(beside: Path) -> tuple[dict[str, int | str], str]:
    """What a receipt says of its file, and the file's format."""
    try:
        told = json.loads(beside.read_bytes())
        expected, form = (
            {
                "file": normalize("NFC", told["file"]),
                "bytes": told["bytes"],
                "SHA-256": told["sha256"],
                "rows": told["rows"],
            },
            told["parameters"]["format"],
        )
        if [type(value) for value in expected.values()] != [str, int, str, int] or form not in get_args(Form):
            raise TypeError(f"file, bytes, sha256, rows, format: {[*expected.values(), form]}")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        what = f"{type(error).__name__}: {error}"
        raise BadInputError(f"{beside}: is no receipt of a slice ({what[:200]})") from error
    return expected, form


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _counted(path: Path, form: str) -> int:
    """Count rows. No cell of a CSV has a line feed in it: names have none."""
    if form == "csv":
        with path.open("rb") as handle:
            return sum(block.count(b"\n") for block in iter(lambda: handle.read(_BLOCK), b"")) - 1
    try:
        return int(pq.read_metadata(path).num_rows)
    except (pa.ArrowException, OSError) as error:
        raise LakeError(f"{path}: cannot be read as Parquet ({error}): export the slice again") from error


def _parameters(wanted: Slice) -> dict[str, Any]:
    return {
        "source": wanted.source,
        "symbols": list(wanted.symbols),
        "start": iso(wanted.window.start),
        "end": iso(wanted.window.end),
        "tf": wanted.tf,
        "format": wanted.form,
        "compression": wanted.compression,
    }


def _days(layout: Layout, wanted: Slice, rows: Rows, coverage: Coverage) -> list[dict[str, Any]]:
    parity = _parity(layout, wanted) if wanted.source == "bars" else {}
    days = []
    for symbol, day in sorted(rows, key=lambda key: (wanted.symbols.index(key[0]), key[1])):
        told = {"symbol": symbol, "day": day.isoformat(), "rows": rows[symbol, day]}
        if wanted.source == "bars":
            told |= {name: coverage[symbol, day][name] for name in _SECONDS} | {"parity": parity.get((symbol, day))}
        elif wanted.source == "klines":
            part = Window.of_day(day).clip(wanted.window)
            expected = len(opens(wanted.tf, part.start_us, part.end_us)) if part else 0
            told |= {"candles_expected": expected, "candles_missing": expected - rows[symbol, day]}
        days.append(told)
    return days


def _without(wanted: Slice, symbol: str, rows: Rows) -> list[list[str]]:
    """First and last of the days that follow each other without a row, of those on which the range lets one begin."""
    first, last = wanted.whole.start.date(), (min(wanted.whole.end, wanted.window.end) - DAY.resolution).date()
    held = [(day.toordinal(), day.toordinal() + 1) for name, day in rows if name == symbol]
    empty = gaps(first.toordinal(), last.toordinal() + 1, held)
    return [[date.fromordinal(start).isoformat(), date.fromordinal(end - 1).isoformat()] for start, end in empty]


def _parity(layout: Layout, wanted: Slice) -> dict[tuple[str, date], dict[str, int]]:
    """How many complete minutes of a whole day were compared with the exchange's klines, and how many were equal."""
    if not layout.parity.exists():
        return {}
    with files.parquet(layout.parity, "validate its days again") as handle:
        rows = handle.read(columns=["symbol", "day", "compared", "agree"]).to_pylist()
    return {
        (row["symbol"], row["day"]): {"compared": row["compared"], "equal": row["agree"]}
        for row in rows
        if row["symbol"] in wanted.symbols
    }
