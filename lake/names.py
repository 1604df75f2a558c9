"""Symbols, as folder names and cell values that nothing can be hidden in.

The exchange lists symbols that are not ASCII (``币安人生USDT``), so Chinese, Japanese and Korean letters are taken. No
other letter is: many look like ours (Cyrillic, Greek, Lisu), are invisible (Hangul fillers), become ours when they are
folded (``ſ``, ``ı``, ``ﬁ``, full-width letters), or run from right to left. Nor are path separators, dots, quotes,
brackets, control and bidirectional characters: a symbol becomes a folder, an SQL value, a page's cell.
"""

import re
import unicodedata
from collections.abc import Iterable

from lake.errors import BadInputError

_MAX_LENGTH = 40
_WINDOWS_DEVICES = {"CON", "PRN", "AUX", "NUL", *(f"{n}{i}" for n in ("COM", "LPT") for i in range(10))}
_LETTERS = ("CJK UNIFIED IDEOGRAPH-", "HANGUL SYLLABLE ", "HIRAGANA LETTER ", "KATAKANA LETTER ")
"""How Unicode's names of the letters begin that a symbol may have besides ASCII's."""
_LIKE_OURS = frozenset("丨丅乂丫")
"""Chinese letters that look like I, T, X and Y."""
_NO_PATH = frozenset('<>"|?*')
_TICKER = re.compile(rf"[A-Z0-9^][A-Z0-9.=^&_-]{{0,{_MAX_LENGTH - 1}}}")
"""Yahoo's symbols: ``BRK-B``, ``0700.HK``, ``^GSPC``, ``EURUSD=X``, ``M&M.NS``, ``NIFTY_FIN_SERVICE.NS``, and options,
such as ``AAPL251219C00100000``. Yahoo takes small letters for capitals."""


def symbol(text: str) -> str:
    """Return ``text`` as a symbol in the exchange's capitals.

    Raises:
        BadInputError: not 1 to 40 letters and digits as described above, or a name Windows keeps for a device.
    """
    whole = isinstance(text, str) and 0 < len(text) <= _MAX_LENGTH and all(map(_plain, text))
    name = text.upper() if whole else ""
    if not name or unicodedata.normalize("NFKC", name) != name or name in _WINDOWS_DEVICES:
        raise BadInputError(
            f"symbol {str(text)[:60]!r}: expected 1 to {_MAX_LENGTH} letters and digits, such as SOLUSDT"
        )
    return name


def _plain(letter: str) -> bool:
    """Whether it is one of ours, or Chinese, Japanese or Korean and unlike ours; capitals are made of ours alone."""
    if letter.isascii():
        return letter.isalnum()
    return unicodedata.name(letter, "").startswith(_LETTERS) and letter not in _LIKE_OURS


def symbols(names: Iterable[str]) -> list[str]:
    """Return the symbols checked, in the order given, each once.

    Raises:
        BadInputError: a symbol is none, or there is no symbol at all.
    """
    return _each_once(map(symbol, names), "symbols: at least one is needed, such as SOLUSDT")


def ticker(text: str) -> str:
    """Return ``text`` as one of Yahoo's tickers, in capitals: ``SPY``, ``ES=F``, ``EURUSD=X``, ``^GSPC``, ``BRK-B``.

    Raises:
        BadInputError: not 1 to 40 of A-Z, 0-9 and ``. = ^ & _ -``, or a name that no folder can have.
    """
    name = text.strip(" ").upper() if isinstance(text, str) and text.isascii() else ""
    if not _TICKER.fullmatch(name) or name.endswith("."):
        raise BadInputError(
            f"ticker {str(text)[:60]!r}: expected Yahoo's name of it, such as SPY, ^GSPC or M&M.NS: "
            f"1 to {_MAX_LENGTH} letters, digits and . = ^ & _ -"
        )
    if name.split(".")[0] in _WINDOWS_DEVICES:
        raise BadInputError(f"ticker {name}: Windows keeps this name for a device, so no folder can have it")
    return name


def tickers(names: Iterable[str]) -> list[str]:
    """Return the tickers checked, in the order given, each once.

    Raises:
        BadInputError: a ticker is none, or there is no ticker at all.
    """
    return _each_once(map(ticker, names), "tickers: at least one is needed, such as SPY")


def _each_once(names: Iterable[str], none: str) -> list[str]:
    unique = list(dict.fromkeys(names))
    if not unique:
        raise BadInputError(none)
    return unique


def path(text: str) -> str:
    """Return ``text`` as a path: one that every system takes, and that a page and a terminal show as it is.

    Raises:
        BadInputError: it has control or invisible characters, or one of ``< > " | ? *``.
    """
    if odd := sorted({letter for letter in text if letter in _NO_PATH or not letter.isprintable()}):
        raise BadInputError(f"path {text[:200]!r}: {' '.join(map(repr, odd))} is in it: name another")
    return text
