"""How much of an exchange's request limit is used, shared by every process of this lake through one SQLite file.

The limit is the exchange's own: so much weight a minute and address (``exchangeInfo``), with the use it has counted in
every answer (``X-MBX-USED-WEIGHT-1M``). A general rate limiter takes no such corrections from outside: so this is ours.
Minutes are the exchange's own: ``clock`` tells its time.
"""

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from lake.duck import sql

_MARGIN = 0.02
"""Share of the limit that is left alone: requests in flight when another process of this address asks too."""


class Budget:
    """One account, such as ``spot weight``: ``limit`` units in each span of ``seconds``."""

    def __init__(
        self, path: Path, account: str, limit: int, seconds: int = 60, clock: Callable[[], float] = time.time
    ) -> None:
        """Open the shared file, or make it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._account, self._seconds, self._clock, self._limit = account, seconds, clock, limit * (1 - _MARGIN)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = OFF")  # lost in a power cut, it counts from 0, as the exchange may
        self._db.execute(sql("history/make_budget"))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def take(self, units: int) -> float:
        """Take so many units: 0 where they were there, else how many seconds to wait before asking again."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                now, window, used, until = self._state()
                if now < until:
                    return until - now
                if used and used + units > self._limit:
                    return (window + 1) * self._seconds - now
                self._put(window, used + units, until)
                return 0.0
            finally:
                self._db.execute("COMMIT")

    def free(self) -> int:
        """How many units are left in this span; 0 while the exchange has us wait."""
        with self._lock:
            now, _, used, until = self._state()
        return 0 if now < until else max(0, int(self._limit) - used)

    def counted(self, used: int) -> None:
        """Take the exchange's own count of this span, where it is more than ours."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                _, window, ours, until = self._state()
                if used > ours:
                    self._put(window, used, until)
            finally:
                self._db.execute("COMMIT")

    def stop_for(self, seconds: float) -> None:
        """Have every process wait, as the exchange asked for with ``Retry-After``."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                now, window, used, until = self._state()
                self._put(window, used, max(until, now + seconds))
            finally:
                self._db.execute("COMMIT")

    def _state(self) -> tuple[float, int, int, float]:
        now = self._clock()
        window = int(now // self._seconds)
        rows = self._db.execute(sql("history/budget"), {"account": self._account}).fetchall()
        if not rows:
            return now, window, 0, 0.0
        of_window, used, until = rows[0]
        return now, window, used if of_window == window else 0, until

    def _put(self, window: int, used: int, until: float) -> None:
        values = {"account": self._account, "span": window, "used": used, "until_s": until}
        self._db.execute(sql("history/put_budget"), values)
