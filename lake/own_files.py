"""Which files among a lake's data are its own, by their names: those that it writes, and no others.

Every reader takes exactly these: `lake.layout` lists them, and the globs of `sql/views` match them with the help of
`sql/macros/own_files.sql`. What else lies there is foreign: what macOS puts beside a file (``._NAME``), copies (``NAME
(1)``, ``NAME copy``), what Syncthing or Dropbox keep of a conflict. It is counted and reported, and never read.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TypeAlias

from lake import raw_sums
from lake.files import TEMPORARY
from lake.intervals import INTERVALS
from lake.layout import EXCHANGE, HOUR_FILES, day_of, is_symbol, is_ticker, kline_name, open_part_number, part_number

DATA = frozenset({"raw", "parquet", "backfill", "derivatives", "macro"})
"""The folders of data, in the lake's own."""
Parts: TypeAlias = tuple[str, ...]
"""A folder's path below the lake's own."""
_Check: TypeAlias = Callable[[str], object]

_DAY_FILE = re.compile(r"(.{10})\.parquet(\.sha256)?")
_YEAR = re.compile(r"year=[0-9]{4}").fullmatch
_DAY: tuple[_Check, ...] = (_YEAR, re.compile(r"month=[0-9]{2}").fullmatch, re.compile(r"day=[0-9]{2}").fullmatch)
_KLINES = frozenset(map(kline_name, INTERVALS))


def _or_sum(names: Iterable[str]) -> _Check:
    """The check of some names, with that of the checksum beside each (`lake.checksums.beside`)."""
    return frozenset(one for name in names for one in (name, f"{name}.sha256")).__contains__


def _is_day_file(name: str) -> bool:
    match = _DAY_FILE.fullmatch(name)
    return match is not None and day_of(match[1]) is not None


_PLACES: tuple[tuple[tuple[str | _Check, ...], _Check], ...] = (
    (("raw", EXCHANGE, is_symbol, day_of), lambda name: part_number(name) or name == raw_sums.NAME),
    (("parquet", EXCHANGE, is_symbol), _is_day_file),
    (("parquet", EXCHANGE, is_symbol, *_DAY), _or_sum(HOUR_FILES)),
    (("backfill", EXCHANGE, is_symbol, *_DAY), _or_sum(_KLINES)),
    (("derivatives", EXCHANGE, "funding", is_symbol, _YEAR), _or_sum({"funding.parquet"})),
    (("derivatives", EXCHANGE, "open_interest", is_symbol, *_DAY), _or_sum({"open_interest.parquet"})),
    (("macro", "minute", is_ticker, *_DAY), _or_sum({"macro_minute.parquet"})),
)
"""Of each kind of data: its folders, each as a name or a check of it, and the check of its files' names."""


def is_folder(parts: Parts) -> bool:
    """Whether a folder is one that the lake makes for its data, or is on the way to one."""
    return any(len(parts) <= len(folders) and _fits(parts, folders) for folders, _ in _PLACES)


@lru_cache(maxsize=4096)
def names_in(parts: Parts) -> Callable[[str], bool]:
    """Return the check of what the lake's own files are named in a folder."""
    checks = (check for folders, check in _PLACES if len(parts) == len(folders) and _fits(parts, folders))
    check = next(checks, lambda _: False)
    return lambda name: bool(check(name))


def is_temporary(name: str) -> bool:
    """Whether a file is one that is being written, or was when its process was killed."""
    return TEMPORARY.fullmatch(name) is not None or open_part_number(name) is not None


def _fits(parts: Parts, folders: tuple[str | _Check, ...]) -> bool:
    pairs = zip(parts, folders, strict=False)
    if not all(part == check if isinstance(check, str) else check(part) for part, check in pairs):
        return False
    return not parts[-1:] or not parts[-1].startswith("day=") or day_of("-".join(_numbers(parts))) is not None


def _numbers(parts: Parts) -> list[str]:
    return [part.partition("=")[2] for part in parts[-3:]]
