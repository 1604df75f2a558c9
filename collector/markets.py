"""Which market a frame, a host or a file name is of. The lake holds Binance spot, and nothing else may enter its bars.

Frames of the futures have spot's names and another content: of trades with the same symbol, those of USD-M would raise
and lower spot's bars. Sources: Binance's pages of the spot, USD-M and COIN-M streams; recordings of each.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

SPOT = "Binance spot"
USD_M = "Binance USD-M futures"
COIN_M = "Binance COIN-M futures"
OPTIONS = "Binance options"
US = "Binance.US"

_FUTURES_ONLY = frozenset(
    {
        "markPriceUpdate", "forceOrder", "continuous_kline", "compositeIndex", "contractInfo", "assetIndexUpdate",
        "indexPriceUpdate", "indexPrice_kline", "markPrice_kline",
    }
)  # fmt: skip
_COIN_SYMBOL = re.compile(r"[A-Z0-9]+USD_(?:PERP|\d{6})\Z")
_DELIVERY_SYMBOL = re.compile(r"[A-Z0-9]+_\d{6}\Z")
_OPTION_SYMBOL = re.compile(r"[A-Z0-9]+-\d{6}-[\d.]+-[CP]\Z")
_SPOT_HOST = re.compile(
    r"(?:stream|data-stream|ws-api|api(?:[1-4]|-gcp)?|data-api|data|www)\.binance\.(?:com|vision)\Z"
)
_HOSTS = (
    (re.compile(r"^[^/]*testnet|^demo[-.]|^[^/]*binancefuture\.com"), "a Binance test network"),
    (re.compile(r"^[^/]*\.binance\.us(?:/|\Z)"), US),
    (re.compile(r"^(?:fstream|fapi)[\w-]*\.binance\.|^[^/]*\.binance\.com/fapi/"), USD_M),
    (re.compile(r"^(?:dstream|dapi)[\w-]*\.binance\.|^[^/]*\.binance\.com/dapi/"), COIN_M),
    (re.compile(r"^(?:eapi|nbstream|vstream|eoptions)[\w-]*\.binance\."), OPTIONS),
)
_NAMES = {
    "us": US, "futures": USD_M, "delivery": COIN_M, "tr": "Binance TR", "options": OPTIONS,
    "european-options": OPTIONS, "dex": "Binance DEX", "jersey": "Binance Jersey",
}  # fmt: skip
_EXCHANGE = re.compile(r"binance[-_]([a-z-]+?)(?:[._]|\Z)")


def of_symbol(symbol: object) -> str | None:
    """Return the market of a symbol that no spot pair can have: ``BTCUSD_PERP``, ``BTCUSDT_240628``; else None."""
    if type(symbol) is not str or ("_" not in symbol and "-" not in symbol):
        return None
    if _COIN_SYMBOL.match(symbol):
        return COIN_M
    if _DELIVERY_SYMBOL.match(symbol):
        return USD_M
    return OPTIONS if _OPTION_SYMBOL.match(symbol) else None


def of_payload(data: Mapping[str, Any]) -> str | None:
    """Return the market that a frame's payload shows itself to be of when that is not spot, else None.

    Trades of the futures have ``X`` (the order's type; ``NA``, of price 0, is no trade at all), their bookTicker has
    ``e``, ``T`` and ``E``, their depth ``pu``; COIN-M's has ``ps``, the pair. None is no proof of spot: an aggregate of
    USD-M differs from spot's only by what it lacks, ``M``, and Binance.US sends what spot sends.
    """
    if market := of_symbol(data.get("s")):
        return market
    event = data.get("e")
    futures = (
        (event == "trade" and "X" in data)
        or (event == "bookTicker" and "T" in data and "E" in data)
        or (event == "depthUpdate" and "pu" in data)
        or (type(event) is str and event in _FUTURES_ONLY)
    )
    return (COIN_M if "ps" in data else USD_M) if futures else None


def of_host(url: str) -> str | None:
    """Return the market that is served at an address, ``SPOT`` too; None where the host is not known."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return None
    for pattern, market in _HOSTS:
        if pattern.match(host + parts.path):
            return market
    return SPOT if _SPOT_HOST.match(host) else None


def of_name(name: str) -> str | None:
    """Return the market other than spot that an exchange's or recording's name says, else None.

    Recorders name files so: ``BINANCE_US.ws.1.0`` (cryptofeed), ``binance-futures_trades_2025-10-20_SOLUSDT.csv.gz``
    (tardis).
    """
    match = _EXCHANGE.match(name.lower())
    return _NAMES.get(match[1]) if match else None
