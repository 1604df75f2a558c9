"""The CSV files that people have of Binance's trades: the exchange's archive, and tardis's. Pure: no file, no clock.

Columns of the archive, spot: ``trades`` id, price, qty, quoteQty, time, isBuyerMaker, isBestMatch; ``aggTrades`` id,
price, qty, first id, last id, time, isBuyerMaker, isBestMatch. Its files of the futures have no isBestMatch, and their
booleans in small letters. Source: the readme of binance-public-data. None of them has a receive time.
"""

import re
from decimal import Decimal
from typing import Any, ClassVar

from collector import markets
from collector.formats import Format, received
from collector.frames import REPLY, Event, MalformedFrameError, OtherMarketError, aggregate, trade
from lake.errors import BadInputError

_SHAPES = {b"I": rb"-?\d{1,19}", b"N": rb"\d+(?:\.\d+)?", b"T": rb"\d{13}(?:\d{3})?", b"B": rb"(?:[Tt]rue|[Ff]alse)"}
_ID = re.compile(r"\d{1,19}\Z", re.ASCII)
_AS_TRADES = b"I,N,N,N,T,B"
_AS_AGGREGATES = b"I,N,N,I,I,T,B"


def _row(shape: bytes) -> re.Pattern[bytes]:
    return re.compile(b",".join(_SHAPES[letter] for letter in shape.split(b",")) + rb"\Z")


class _Archive(Format):
    """A CSV of the exchange's archive. Its symbol is in its file's name alone."""

    kind: ClassVar[str]
    row: ClassVar[re.Pattern[bytes]]
    futures: ClassVar[re.Pattern[bytes]]

    def __init__(self, file: str, *, spot: bool = False) -> None:
        """Begin a file."""
        super().__init__(file, spot=spot)
        found = re.match(rf"([^-/]+)-{self.kind}-\d{{4}}-\d\d", file)
        self.symbol: str | None = found[1].upper() if found else None

    @classmethod
    def fits(cls, line: bytes) -> bool:
        """A row, or a header, of spot or of the futures."""
        return bool(cls.row.match(line) or cls.futures.match(line)) or _kind(_header(line)) == cls.kind

    def read(self, line: bytes) -> Event:
        """Understand a row. A trade is taken as received at its own time."""
        if not self.row.match(line):
            header = _header(line)
            if self.futures.match(line) or (header and "best" not in header[-1]):
                market = markets.COIN_M if "baseqty" in header else f"{markets.USD_M} or COIN-M"
                raise OtherMarketError(f"{self.kind} of {market} (no column isBestMatch)")
            if header:
                return REPLY
            raise MalformedFrameError(f"no row of the archive's {self.kind}")
        if self.symbol is None:
            raise BadInputError(
                f"its name does not show the symbol: rename it, as the archive does, SYMBOL-{self.kind}-YYYY-MM-DD.csv"
            )
        if other := markets.of_symbol(self.symbol):
            raise OtherMarketError(f"{self.symbol}, a contract of {other}")
        try:
            return self._event(line.decode().split(","))
        except BadInputError as error:
            raise MalformedFrameError(str(error)) from None

    def whole(self, line: bytes) -> bool:
        """A row that ends in its last boolean is whole; cut before that it would look like one of the futures."""
        return self.row.match(line) is not None

    def _event(self, fields: list[str]) -> Event:
        raise NotImplementedError

    def _trade(self, fields: list[str]) -> dict[str, Any]:
        return {
            "s": self.symbol, "p": fields[1], "q": fields[2], "T": received(fields[-3]),
            "m": fields[-2].lower() == "true", "M": fields[-1],
        }  # fmt: skip


class ArchiveTrades(_Archive):
    """``trades`` of the archive."""

    name, kind = "binance-trades", "trades"
    row, futures = _row(_AS_TRADES + b",B"), _row(_AS_TRADES)

    def _event(self, fields: list[str]) -> Event:
        return trade({**self._trade(fields), "t": int(fields[0])}, None)


class ArchiveAggregates(_Archive):
    """``aggTrades`` of the archive."""

    name, kind = "binance-aggtrades", "aggTrades"
    row, futures = _row(_AS_AGGREGATES + b",B"), _row(_AS_AGGREGATES)

    def _event(self, fields: list[str]) -> Event:
        return aggregate({**self._trade(fields), "f": int(fields[3]), "l": int(fields[4])}, None)


class TardisTrades(Format):
    """tardis's ``trades``: exchange,symbol,timestamp,local_timestamp,id,side,price,amount; times in microseconds."""

    name = "tardis-trades"
    _header = b"exchange,symbol,timestamp,local_timestamp,id,side,price,amount"
    _decimal = re.compile(r"\d+(?:\.\d+)?(?:e-?\d{1,2})?\Z", re.ASCII)

    def __init__(self, file: str, *, spot: bool = False) -> None:
        """Begin a file; each of its rows names its exchange."""
        super().__init__(file, spot=spot)
        self.spot = True

    @classmethod
    def fits(cls, line: bytes) -> bool:
        """Its header."""
        return line == cls._header

    def read(self, line: bytes) -> Event:
        """Understand a row."""
        if line == self._header:
            return REPLY
        fields = line.decode("utf-8", "replace").split(",")
        if len(fields) != self._header.count(b",") + 1:
            raise MalformedFrameError(f"{len(fields)} columns, not the 8 of tardis's trades")
        exchange, symbol, time, local, number, side, price, amount = fields
        if exchange != "binance":
            raise OtherMarketError(f"a trade of {markets.of_name(exchange) or f'the exchange {exchange[:40]!r}'}")
        if side not in ("buy", "sell") or not _ID.match(number):
            raise MalformedFrameError("no trade with its id and the taker's side")
        data = {"s": symbol, "t": int(number), "T": received(time), "m": side == "sell"}
        try:
            return trade({**data, "p": self._plain(price), "q": self._plain(amount)}, received(local))
        except BadInputError as error:
            raise MalformedFrameError(str(error)) from None

    def whole(self, line: bytes) -> bool:
        """Nothing shows whether the amount at a line's end is whole."""
        return False

    def _plain(self, text: str) -> str:
        """Write a decimal without its exponent: tardis has 9e-7 for 0.0000009."""
        return format(Decimal(text), "f") if "e" in text and self._decimal.match(text) else text


def _header(line: bytes) -> list[str]:
    """The names of the columns where a line is a header of the archive's (newer files have one), else nothing."""
    names = [name.replace("_", "").strip().lower() for name in line.decode("utf-8", "replace").split(",")]
    return names if names[0] in ("id", "tradeid", "aggtradeid", "aggid") and "price" in names else []


def _kind(header: list[str]) -> str:
    if not header:
        return ""
    return "aggTrades" if any("first" in name for name in header) else "trades"
