"""How much of an exchange's request limit is used, shared by every process of this lake through one SQLite file.

The limit is the exchange's own: so much weight a minute and address (``exchangeInfo``), with the use it has counted in
every answer (``X-MBX-USED-WEIGHT-1M``). A general rate limiter takes no such corrections from outside: so this is ours.
Minutes are the exchange's too, by its clock.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lake.duck import sql
from lake.errors import LakeError

_MARGIN = 0.02
"""Share of the limit that is left alone: requests in flight when another process of this address asks too."""


@dataclass
class _Account:
    """A row of the file, for the present moment."""

    units: int
    ahead_s: float
    span: int
    used: int
    until_s: float


class Budget:
    """One account, such as ``spot weight``: so many units in each span of ``seconds``.

    Args:
        path: The shared file; it is made where it is missing.
        account: Name of the limit, with its host.
        units: The limit, until the exchange has told it (`learn`).
        seconds: Length of a span.
        clock: Our time, in seconds since 1970 UTC.

    Raises:
        LakeError: the file cannot be read or written; every method does.
    """

    def __init__(
        self, path: Path, account: str, units: int, seconds: int = 60, clock: Callable[[], float] = time.time
    ) -> None:
        self._path, self._account, self._units, self._seconds, self._clock = path, account, units, seconds, clock
        self._lock = threading.Lock()
        with self._telling():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = OFF")  # lost in a power cut, it counts from 0, as the exchange may
            self._db.execute(sql("history/make_budget"))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def learn(self, units: int, ahead_s: float) -> None:
        """Take the exchange's own limit, and how far its clock is ahead of ours."""
        with self._changing() as account:
            account.units, account.ahead_s = units, ahead_s
            account.span = self._span(account)

    def take(self, units: int) -> float:
        """Take so many units: 0 where they were there, else how many seconds to wait before asking again."""
        with self._changing() as account:
            if (seconds := account.until_s - self._clock()) > 0:
                return seconds
            if account.used and account.used + units > account.units * (1 - _MARGIN):
                return (account.span + 1) * self._seconds - (self._clock() + account.ahead_s)
            account.used += units
            return 0.0

    def free(self) -> int:
        """How many units are left in this span; 0 while the exchange has us wait."""
        with self._changing() as account:
            waiting = account.until_s > self._clock()
            return 0 if waiting else max(0, int(account.units * (1 - _MARGIN)) - account.used)

    def counted(self, used: int) -> None:
        """Take the exchange's own count of this span, where it is more than ours."""
        with self._changing() as account:
            account.used = max(account.used, used)

    def stop_for(self, seconds: float) -> None:
        """Have every process wait, as the exchange asked for with ``Retry-After``."""
        with self._changing() as account:
            account.until_s = max(account.until_s, self._clock() + seconds)

    @contextmanager
    def _changing(self) -> Iterator[_Account]:
        """Yield the account as it is now, and keep what becomes of it; no other process can come in between."""
        with self._lock, self._telling():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                account = self._now()
                yield account
                self._db.execute(sql("history/put_budget"), {"account": self._account, **vars(account)})
            finally:
                self._db.execute("COMMIT")

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Turn SQLite's errors about the file into one line."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise LakeError(
                f"{self._path}: {error}: check the folder and disk; a damaged file can be removed"
            ) from error

    def _now(self) -> _Account:
        rows = self._db.execute(sql("history/budget"), {"account": self._account}).fetchall()
        account = _Account(*rows[0]) if rows else _Account(self._units, 0.0, 0, 0, 0.0)
        if (span := self._span(account)) != account.span:
            account.span, account.used = span, 0
        return account

    def _span(self, account: _Account) -> int:
        return int((self._clock() + account.ahead_s) // self._seconds)
