"""The runs that a lake's Data Docs hold: what each found, which are shown, which are old enough to go.

A run is a folder of pages, ``reports/data_docs/validations/SUITE/RUN/``, with `run.json` in it, and a folder of Great
Expectations' results of the same name. The index is made of the `run.json` files alone, so that it costs the same
however many rows a result has. Which run is newer is told by the times of these files, not by a clock of ours: the same
validation again leaves the same files, and is the newest.
"""

import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from loguru import logger

from lake.files import write_text

FILE = "run.json"
STATES = ("FAIL", "INVESTIGATE", "PASS")


@dataclass(frozen=True, order=True)
class Day:
    """A page: its symbol and day, the verdict on it, the rules that are violated, its path within the run's folder."""

    symbol: str
    day: str
    state: str
    violated: tuple[str, ...]
    href: str


@dataclass(frozen=True)
class Run:
    """One run of a suite, and the pages it has."""

    suite: str
    name: str
    days: tuple[Day, ...]

    @property
    def state(self) -> str:
        """The worst verdict of its days."""
        return next((state for state in STATES if any(day.state == state for day in self.days)), "FAIL")

    def count(self, state: str) -> int:
        """Return how many days have this verdict."""
        return sum(day.state == state for day in self.days)


class Runs:
    """The runs below a Data Docs site and a store of results."""

    def __init__(self, site: Path, results: Path) -> None:
        self._site = site / "validations"
        self._results = results

    def folder(self, suite: str, name: str) -> Path:
        """The folder of a run's pages."""
        return self._site / suite / name

    def keep(self, suite: str, name: str, days: Iterable[Day]) -> Run:
        """Write what a run found into its `run.json`; days that it has from before stay."""
        folder = self.folder(suite, name)
        before = self._read(folder)
        both = {(day.symbol, day.day): day for day in (*(before.days if before else ()), *days)}
        run = Run(suite, name, tuple(sorted(day for day in both.values() if (folder / day.href).is_file())))
        write_text(folder / FILE, json.dumps(asdict(run), indent=1) + "\n")
        return run

    def all(self) -> list[Run]:
        """Return every run that has pages, the newest first."""
        found = [run for folder in sorted(self._site.glob("*/*"), key=_age) if (run := self._read(folder))]
        return found[::-1]

    def prune(self, suite: str, keep: int, *, sure: str) -> list[str]:
        """Remove pages and results of all but the newest runs of a suite, ``sure`` among those; return the names."""
        ages: dict[str, tuple[int, str]] = {}
        for root in (self._results, self._site):
            for folder in (root / suite).glob("*/"):
                ages[folder.name] = max(_age(folder), ages.get(folder.name, (0, "")))
        ages.pop(sure, None)
        old = sorted(ages, key=lambda name: ages[name], reverse=True)[max(keep - 1, 0) :]
        for name in old:
            for root in (self._results, self._site):  # pages last: while they are there, the run is found again
                shutil.rmtree(root / suite / name, ignore_errors=True)
        return old

    def _read(self, folder: Path) -> Run | None:
        """What `run.json` says; without one that can be read, what the names of the pages say."""
        if not folder.is_dir():
            return None
        try:
            found = json.loads((folder / FILE).read_text(encoding="utf-8"))
            days = tuple(Day(**{**day, "violated": tuple(day["violated"])}) for day in found["days"])
        except FileNotFoundError:
            days = _named(folder)
        except (ValueError, TypeError, KeyError) as error:
            logger.warning("{}: not readable ({}): its pages are listed by name", folder / FILE, type(error).__name__)
            days = _named(folder)
        return Run(folder.parent.name, folder.name, days) if days else None


def day_of(pages: Path, href: Path, **found: Any) -> Day:
    """Return the page at a path, named ``20251020T000000.000000Z/binance-SOLUSDT.html`` within its run's folder."""
    stamp = href.parent.name
    day = f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}"
    words = {"state": "UNKNOWN", "violated": (), **found}
    return Day(href.stem.partition("-")[2], day, href=href.relative_to(pages).as_posix(), **words)


def _named(folder: Path) -> tuple[Day, ...]:
    return tuple(sorted(day_of(folder, path) for path in folder.glob("*/*.html")))


def _age(folder: Path) -> tuple[int, str]:
    """When a run was last written, and its name, which decides between equals."""
    told = folder / FILE
    return (told if told.is_file() else folder).stat().st_mtime_ns, folder.name
