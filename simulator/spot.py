"""The spot endpoints, ``/api/v3/…`` (rest-api.md). Each takes the exchange and a request, and returns JSON values."""

import json
from collections.abc import Mapping
from typing import Any

from simulator import params
from simulator.asks import Ask, Endpoint, market_asked
from simulator.candles import INTERVALS
from simulator.exchange import Exchange
from simulator.odd_rows import odd
from simulator.params import ApiError
from simulator.records import Trade, aggregate_records, trade_records
from simulator.rows import kline_json
from simulator.symbols import Listing, decimal_text

_MONTH_US = 31 * 86_400_000_000
_FEW_TRADES = 250_000


def ping(exchange: Exchange, ask: Ask) -> Any:
    """``/api/v3/ping``: nothing."""
    del exchange
    params.known_only(ask.query)
    return {}


def server_time(exchange: Exchange, ask: Ask) -> Any:
    """``/api/v3/time``: the server's time."""
    params.known_only(ask.query)
    return {"serverTime": exchange.server_us() // ask.unit_us}


def exchange_info(exchange: Exchange, ask: Ask) -> Any:
    """``/api/v3/exchangeInfo``: limits, and the pairs (all, or ``symbol``, ``symbols``) with status and filters."""
    params.known_only(ask.query, "symbol", "symbols", "permissions", "showPermissionSets", "symbolStatus")
    names = _chosen(exchange, ask.query)
    pairs = [_pair(exchange.markets[name].listing, exchange.delisting(name) is not None) for name in names]
    if status := ask.query.get("symbolStatus"):
        pairs = [pair for pair in pairs if pair["status"] == status]
    return {
        "timezone": "UTC",
        "serverTime": exchange.server_us() // ask.unit_us,
        "rateLimits": [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": exchange.weight_limit},
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
            {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 200000},
            {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 300000},
        ],
        "exchangeFilters": [],
        "symbols": pairs,
    }


def klines(exchange: Exchange, ask: Ask) -> Any:
    """``/api/v3/klines``: candles by their open time, the one still open last (text: it is JSON)."""
    params.known_only(ask.query, "symbol", "interval", "startTime", "endTime", "timeZone", "limit")
    market = market_asked(exchange, ask.query)
    interval = params.text(ask.query, "interval")
    if interval not in INTERVALS:
        raise ApiError(-1120, "Invalid interval.")
    limit, (low, high), zone = params.limit(ask.query), params.span(ask.query), params.zone_us(ask.query)
    if market is None:
        return []
    symbol = market.listing.symbol
    until = min(exchange.made_until(symbol), high - 1 if high is not None else 1 << 62)
    gaps = exchange.gaps(symbol, ask.path, low or 0, until)
    if low is None:
        low = until - limit * (INTERVALS[interval] or _MONTH_US) - sum(min(b, until) - a for a, b in gaps)
        found = exchange.table(symbol, interval, low, until, 1 << 40, zone, gaps).last(limit)
    else:
        found = exchange.table(symbol, interval, low, until, limit, zone, gaps, exchange.shifts(symbol, ask.path))
    text = kline_json(market.listing, found, ask.unit_us)
    for fault in exchange.oddities(ask.path, symbol):
        text = odd(text, fault)
    return text


def aggregate_trades(exchange: Exchange, ask: Ask) -> Any:
    """``/api/v3/aggTrades``: from an aggregate id on, or of a span of time, or the latest."""
    params.known_only(ask.query, "symbol", "fromId", "startTime", "endTime", "limit")
    market = market_asked(exchange, ask.query)
    from_id, limit, (low, high) = params.number(ask.query, "fromId"), params.limit(ask.query), params.span(ask.query)
    if from_id is not None and (low, high) != (None, None):
        raise ApiError(-1128, "Combination of optional parameters invalid.")
    if market is None:
        return []
    horizon = exchange.made_until(market.listing.symbol)
    end = market.trades_before(min(horizon, high) if high is not None else horizon)
    last = market.aggregate_of(end - 1) + 1 if end else 0
    if from_id is not None:
        first = max(0, from_id - market.first_aggregate)
    elif low is not None:
        start = market.trades_before(min(low, horizon))
        first = market.aggregate_of(start) if start < end else last
    else:
        first = max(0, last - limit)
    stop = min(last, first + limit)
    if first >= stop:
        return []
    begin = market.index_of_aggregate(first)
    upto = market.index_of_aggregate(stop) if stop < last else end
    return [
        {"a": a.id, "p": a.price, "q": a.qty, "f": a.first_id, "l": a.last_id, "T": a.time_us // ask.unit_us,
         "m": a.buyer_is_maker, "M": True}
        for part in market.whole_parts(begin, upto, horizon) for a in aggregate_records(market, part)
    ]  # fmt: skip


def recent_trades(exchange: Exchange, ask: Ask) -> Any:
    """``/api/v3/trades``: the latest."""
    params.known_only(ask.query, "symbol", "limit")
    return _trades(exchange, ask, None)


def historical_trades(exchange: Exchange, ask: Ask) -> Any:
    """``/api/v3/historicalTrades``: from a trade id (inclusive) on, or the latest."""
    params.known_only(ask.query, "symbol", "limit", "fromId")
    return _trades(exchange, ask, params.number(ask.query, "fromId"))


def _few_trades(exchange: Exchange, ask: Ask) -> bool:
    """Whether klines are of so few trades that even where all must be drawn first it takes some 10 ms."""
    market = exchange.markets.get(ask.query.get("symbol", ""))
    return ask.query.get("interval") in ("1s", "1m") and market is not None and market.per_minute * 1000 < _FEW_TRADES


ENDPOINTS = {
    "/api/v3/ping": Endpoint(ping, 1),
    "/api/v3/time": Endpoint(server_time, 1),
    "/api/v3/exchangeInfo": Endpoint(exchange_info, 20),
    "/api/v3/klines": Endpoint(klines, 2, quick=_few_trades),
    "/api/v3/aggTrades": Endpoint(aggregate_trades, 4),
    "/api/v3/trades": Endpoint(recent_trades, 25),
    "/api/v3/historicalTrades": Endpoint(historical_trades, 25),
}
"""Function and weight by path (rest-api.md, CHANGELOG 2024-04-02, 2025-03-05)."""


def _trades(exchange: Exchange, ask: Ask, from_id: int | None) -> list[dict[str, Any]]:
    market, limit = market_asked(exchange, ask.query), params.limit(ask.query)
    if market is None:
        return []
    horizon = exchange.made_until(market.listing.symbol)
    first = market.trades_before(horizon) - limit if from_id is None else from_id - market.first_id
    parts = market.trades_from_index(max(first, 0), horizon, limit)
    return [_trade(trade, ask.unit_us) for part in parts for trade in trade_records(market, part)]


def _trade(trade: Trade, unit_us: int) -> dict[str, Any]:
    return {
        "id": trade.id, "price": trade.price, "qty": trade.qty, "quoteQty": trade.quote_qty,
        "time": trade.time_us // unit_us,
        "isBuyerMaker": trade.buyer_is_maker, "isBestMatch": True,
    }  # fmt: skip


def _chosen(exchange: Exchange, query: Mapping[str, str]) -> list[str]:
    if "symbol" in query:
        names = [params.symbol_text(params.text(query, "symbol"))]
    elif "symbols" in query:
        try:
            names = [params.symbol_text(str(name)) for name in json.loads(query["symbols"])]
        except (ValueError, TypeError):
            raise ApiError(
                -1100, "Illegal characters found in parameter 'symbols'; legal range is a JSON list."
            ) from None
    else:
        return [name for name in exchange.markets if exchange.listed(name)]
    if not all(exchange.listed(name) for name in names):
        raise ApiError(-1121, "Invalid symbol.")
    return names


def _pair(listing: Listing, broken: bool) -> dict[str, Any]:
    tick, step = decimal_text(1, listing.tick_decimals), decimal_text(1, listing.step_decimals)
    return {
        "symbol": listing.symbol, "status": "BREAK" if broken else "TRADING", "baseAsset": listing.base,
        "baseAssetPrecision": 8, "quoteAsset": "USDT", "quotePrecision": 8, "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "MARKET"], "isSpotTradingAllowed": True, "isMarginTradingAllowed": False,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": step, "maxQty": "9000000.00000000", "stepSize": step},
        ],
        "permissions": [], "permissionSets": [["SPOT"]],
    }  # fmt: skip
