"""What could not be read, one JSON line each: file, offset, reason and the bytes. Nothing is thrown away."""

import json
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
