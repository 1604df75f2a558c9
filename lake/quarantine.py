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
    target = raw_file(layout, part)
    if not bad:
        target.unlink(missing_ok=True)
        return 0
    name = part.relative_to(layout.base).as_posix()
    files.write_text(target, "".join(record(name, *each) + "\n" for each in bad))
    return len(bad)


def add(target: Path, records: Iterable[str]) -> None:
    """Keep records (`record`) in a file of the quarantine beside those that are there, each once."""
    try:
        before = target.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        before = []
    after = list(dict.fromkeys([*before, *records]))
    if after != before:
        files.write_text(target, "".join(f"{line}\n" for line in after))
