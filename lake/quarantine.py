"""What could not be read, one JSON line each: file, offset, reason and the bytes. Nothing is thrown away."""

import json
from collections.abc import Iterable
from pathlib import Path

from lake import files
from lake.layout import Layout

_SHOWN = 4096


def record(file: str, offset: int, reason: str, line: bytes) -> str:
    r"""Return one line of a quarantine file.

    ``line`` holds the first 4,096 bytes as text, undecodable ones as ``\xNN``; ``bytes`` says how many there were. The
    raw part itself keeps them all.
    """
    text = line[:_SHOWN].decode("utf-8", "backslashreplace")
    return json.dumps({"file": file, "offset": offset, "reason": reason, "bytes": len(line), "line": text})


def raw_file(layout: Layout, part: Path) -> Path:
    """Where the bad lines of a raw part are kept: the part's own path, below quarantine/."""
    return layout.quarantine / part.relative_to(layout.base)


def put(layout: Layout, part: Path, bad: list[tuple[int, str, bytes]]) -> int:
    """Keep the bad lines (offset, reason, bytes) of a part in place of what was kept of it before; return how many."""
    keep(raw_file(layout, part), part.relative_to(layout.base).as_posix(), bad)
    return len(bad)


def keep(target: Path, file: str, bad: list[tuple[int, str, bytes]]) -> None:
    """Keep the bad lines (offset, reason, bytes) of a file at ``target``, replacing those kept there before."""
    if bad:
        files.write_text(target, "".join(record(file, *each) + "\n" for each in bad))
    else:
        target.unlink(missing_ok=True)


def macro_file(layout: Layout, ticker: str, day: str) -> Path:
    """Where the refused rows of a ticker and UTC day are kept; ``undated`` where a row's time is none of the lake's."""
    return layout.quarantine / layout.macro.relative_to(layout.base) / ticker / f"{day}.jsonl"


def add(target: Path, records: Iterable[str]) -> int:
    """Add records to a file, each once, however often it comes; return how many were not there yet."""
    held = target.read_bytes().splitlines() if target.exists() else []
    known = set(held)
    new = [line for line in dict.fromkeys(one.encode() for one in records) if line not in known]
    if new:
        with files.whole(target) as hidden:
            hidden.write_bytes(b"".join(line + b"\n" for line in [*held, *new]))
    return len(new)
