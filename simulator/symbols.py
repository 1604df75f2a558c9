"""Which pairs the stand-in lists, and the step sizes their prices and quantities honour."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

SCALE = 8
"""Decimals of every price and quantity text, as the exchange writes them."""


@dataclass(frozen=True)
class Listing:
    """One pair.

    Attributes:
        symbol: The exchange's name in capitals, such as ``SOLUSDT``.
        price: Price at the market's first moment, in quote per base.
        tick_decimals: The tick size is ``10 ** -tick_decimals`` quote.
        step_decimals: The lot step is ``10 ** -step_decimals`` base. Both together are at most 8, so that
            price × quantity is exact in eight decimals.
        liquidity: Factor on the market's trades and quotes per second.
        notional: Mean value of a trade, in quote.
        perpetual: Whether there is a USD-M perpetual contract on it.
        listed_us: The minute in which the pair's market begins, µs since 1970 UTC; None for the exchange's first
            moment. Before it the pair is unknown everywhere; it may lie ahead, in the live session.
    """

    symbol: str
    price: float
    tick_decimals: int
    step_decimals: int
    liquidity: float = 1.0
    notional: float = 300.0
    perpetual: bool = True
    listed_us: int | None = None

    @property
    def key(self) -> int:
        """A number that stands for the symbol in random keys; the same in every process."""
        return int.from_bytes(hashlib.blake2b(self.symbol.encode(), digest_size=6).digest(), "big")

    @property
    def base(self) -> str:
        """The base asset's name."""
        return self.symbol.removesuffix("USDT") or self.symbol

    def price_text(self, ticks: int) -> str:
        """Return a price of so many ticks as the exchange's decimal text."""
        return decimal_text(ticks, self.tick_decimals)

    def qty_text(self, steps: int) -> str:
        """Return a quantity of so many lot steps as the exchange's decimal text."""
        return decimal_text(steps, self.step_decimals)

    def quote_text(self, units: int) -> str:
        """Return a quote amount (sum of ticks × steps) as the exchange's decimal text."""
        return decimal_text(units, self.tick_decimals + self.step_decimals)


def decimal_text(units: int, decimals: int) -> str:
    """Return ``units * 10 ** -decimals`` with eight decimals, exactly: ``decimal_text(250, 2) == "2.50000000"``."""
    whole, part = divmod(int(units), 10**decimals)
    return f"{whole}.{part:0{decimals}d}{'0' * (SCALE - decimals)}" if decimals else f"{whole}.00000000"


_DEFAULTS = (
    Listing("SOLUSDT", 140.0, 2, 3, 1.5),
    Listing("SUIUSDT", 2.2, 4, 1, 0.5),
    Listing("ADAUSDT", 0.52, 4, 1, 0.7),
    Listing("BTCUSDT", 68000.0, 2, 5, 3.0, 900.0),
    Listing("ETHUSDT", 2500.0, 2, 4, 2.5, 600.0),
    Listing("BNBUSDT", 590.0, 2, 3, 1.0),
    Listing("XRPUSDT", 1.4, 4, 1, 1.5),
    Listing("DOGEUSDT", 0.16, 5, 0, 1.0),
    Listing("TRXUSDT", 0.24, 4, 1, 0.4),
    Listing("AVAXUSDT", 22.0, 2, 2, 0.5),
    Listing("LINKUSDT", 13.0, 2, 2, 0.6),
    Listing("DOTUSDT", 4.6, 3, 2, 0.3),
    Listing("LTCUSDT", 85.0, 2, 3, 0.4),
    Listing("BCHUSDT", 410.0, 1, 3, 0.25),
    Listing("NEARUSDT", 3.1, 3, 1, 0.3),
    Listing("UNIUSDT", 8.4, 3, 2, 0.25),
    Listing("APTUSDT", 5.2, 3, 2, 0.15),
    Listing("ARBUSDT", 0.42, 4, 1, 0.1),
    Listing("OPUSDT", 0.75, 3, 2, 0.05),
)
_BY_SYMBOL = {listing.symbol: listing for listing in _DEFAULTS}
DEFAULT_SYMBOLS = tuple(_BY_SYMBOL)
"""Nineteen liquid USDT pairs, the last of which have whole minutes without a trade."""


def listing(symbol: "str | Listing") -> Listing:
    """Return the listing of a symbol; one that is not in the default list gets a price derived from its name."""
    if isinstance(symbol, Listing):
        return symbol
    name = symbol.upper()
    if name in _BY_SYMBOL:
        return _BY_SYMBOL[name]
    draft = Listing(name, 1.0, 2, 2)
    exponent = draft.key % 7 - 2
    price = (1 + draft.key // 7 % 900 / 100) * 10.0**exponent
    return Listing(
        name, price, max(2, 4 - exponent) if exponent < 3 else 2, min(2 + max(exponent, 0), 4) if exponent > -2 else 0
    )


def listings(symbols: Iterable["str | Listing"]) -> dict[str, Listing]:
    """Return listings by symbol, in the order given.

    Raises:
        ValueError: No symbol at all, or one twice, or one with characters a stream name cannot hold.
    """
    found: dict[str, Listing] = {}
    for item in map(listing, symbols):
        if item.symbol in found:
            raise ValueError(f"symbol {item.symbol}: given twice; name each pair once")
        if not item.symbol.isalnum():
            raise ValueError(f"symbol {item.symbol!r}: expected letters and digits, such as SOLUSDT")
        if item.tick_decimals + item.step_decimals > SCALE:
            raise ValueError(f"symbol {item.symbol}: tick and step together have more than {SCALE} decimals")
        found[item.symbol] = item
    if not found:
        raise ValueError("symbols: at least one is needed, such as SOLUSDT")
    return found
