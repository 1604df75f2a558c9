"""Operating-system locks: two processes never write the same thing, and a killed one leaves no lock behind."""

import errno
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from lake.errors import LakeError
from lake.layout import Layout

_NO_LOCKS = (errno.ENOLCK, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP)


class _Lock(FileLock):
    """One whose file cannot be opened says so in a line."""

    def acquire(self, *given: Any, **named: Any) -> Any:
        """Take it.

        Raises:
            Timeout: somebody else has it.
            LakeError: its file is not ours, no file, or cannot be made.
        """
        try:
            return super().acquire(*given, **named)
        except Timeout:
            raise
        except OSError as error:
            remedy = "it must be a file of the user who runs this: chown it, or remove it while nothing runs"
            if error.errno in _NO_LOCKS:
                remedy = "this disk has no file locks: put base_path on a local disk"
            raise LakeError(f"{self.lock_file}: cannot be opened ({error.strerror or error}): {remedy}") from error


def _lock(layout: Layout, name: str) -> FileLock:
    try:
        layout.locks.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LakeError(f"{layout.locks}: cannot be made ({error.strerror}): check base_path") from error
    return _Lock(layout.locks / f"{name}.lock")


def is_held(layout: Layout, which: Callable[[Layout], FileLock]) -> bool:
    """Tell whether somebody holds a lock of a lake, such as `up`; nothing is made to find out.

    Raises:
        LakeError: this user may not look.
    """
    try:
        if not layout.locks.is_dir():
            return False
        with which(layout).acquire(blocking=False):
            return False
    except Timeout:
        return True
    except OSError as error:
        raise LakeError(f"{layout.locks}: cannot be looked at ({error.strerror}): is {layout.base} yours?") from error


def bars(layout: Layout, symbol: str) -> FileLock:
    """Held by whoever writes the bars of a symbol: transform and compaction."""
    return _lock(layout, f"bars-{symbol}")


def klines(layout: Layout, symbol: str, interval: str) -> FileLock:
    """Held by whoever writes the exchange's klines of a symbol and interval."""
    return _lock(layout, f"klines-{symbol}-{'month' if interval == '1M' else interval}")


def derivatives(layout: Layout, symbol: str) -> FileLock:
    """Held by whoever writes the fundings and open interest of a contract."""
    return _lock(layout, f"derivatives-{symbol}")


def macro(layout: Layout, ticker: str) -> FileLock:
    """Held by whoever asks Yahoo about a ticker and writes its minutes."""
    return _lock(layout, f"macro-{ticker}")


def validation(layout: Layout) -> FileLock:
    """Held by a validation: Great Expectations' project has no locks of its own."""
    return _lock(layout, "validate")


def slice_file(layout: Layout, path: Path) -> FileLock:
    """Held by whoever writes a slice to a file. There are 256, so that they do not pile up: files may share one."""
    return _lock(layout, f"slice-{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:2]}")


def imports(layout: Layout) -> FileLock:
    """Held by whoever takes recordings in."""
    return _lock(layout, "imports")


def collector(layout: Layout) -> FileLock:
    """Held by the collector while it runs, and by whoever adopts the parts that a killed one left open."""
    return _lock(layout, "collector")


def up(layout: Layout) -> FileLock:
    """Held by `crypto-lake up` while it keeps the lake running."""
    return _lock(layout, "up")


def housekeeping(layout: Layout) -> FileLock:
    """Held by whoever clears up what others left."""
    return _lock(layout, "housekeeping")


def health(layout: Layout, part: str = "") -> FileLock:
    """Held for a moment by whoever writes the heartbeat, or with ``part`` the runs of a flow."""
    return _lock(layout, f"health-{part}" if part else "health")
