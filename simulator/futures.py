"""The USD-M endpoints, ``/fapi/v1/…`` and ``/futures/data/…``. Each takes the exchange and a request.

Facts: "Get Funding Rate History", "Get Funding Rate Info", "Open Interest", "Open Interest Statistics" of the
USD-M docs. Times are milliseconds; a pair without a contract is answered with -1121.
"""

from typing import Any

from simulator import params
from simulator.asks import Ask, Endpoint, market_asked
from simulator.contracts import GRID_US, Contract, Funding
from simulator.exchange import Exchange
from simulator.params import ApiError
from simulator.spine import DAY_US

PERIODS = {
    "5m": GRID_US, "15m": 3 * GRID_US, "30m": 6 * GRID_US, "1h": 12 * GRID_US, "2h": 24 * GRID_US,
    "4h": 48 * GRID_US, "6h": 72 * GRID_US, "12h": 144 * GRID_US, "1d": 288 * GRID_US,
}  # fmt: skip
"""Periods of the open interest statistics, in µs."""
HISTORY_US = 30 * DAY_US
"""Open interest statistics reach back this far and no further."""


def ping(exchange: Exchange, ask: Ask) -> Any:
    """``/fapi/v1/ping``: nothing."""
    del exchange
    params.known_only(ask.query)
    return {}


def server_time(exchange: Exchange, ask: Ask) -> Any:
    """``/fapi/v1/time``: the server's time."""
    params.known_only(ask.query)
    return {"serverTime": exchange.server_us() // 1000}


def funding_rate(exchange: Exchange, ask: Ask) -> Any:
    """``/fapi/v1/fundingRate``: fundings of a contract or of all, oldest first; the latest without ``startTime``."""
    params.known_only(ask.query, "symbol", "startTime", "endTime", "limit")
    limit, (low, high) = params.limit(ask.query, 100), params.span(ask.query)
    if "symbol" in ask.query:
        contract = _contract(exchange, ask)
        names = [ask.query["symbol"]] if contract else []
    else:
        names = [name for name in exchange.contracts if exchange.delisting(name) in (None, "history")]
    found: list[Funding] = []
    for name in names:
        found += exchange.fundings(name, low, high)
    found.sort(key=lambda funding: funding.time_us // 1000)
    return [
        {
            "symbol": funding.symbol,
            "fundingTime": funding.time_us // 1000,
            "fundingRate": funding.rate,
            "markPrice": funding.mark_price,
        }
        for funding in (found[-limit:] if low is None else found[:limit])
    ]


def funding_info(exchange: Exchange, ask: Ask) -> Any:
    """``/fapi/v1/fundingInfo``: bounds of the rate and hours between fundings."""
    params.known_only(ask.query)
    return [
        {
            "symbol": name, "adjustedFundingRateCap": "0.00300000", "adjustedFundingRateFloor": "-0.00300000",
            "fundingIntervalHours": 8, "disclaimer": False,
        }
        for name in exchange.contracts if exchange.listed(name) and exchange.delisting(name) is None
    ]  # fmt: skip


def open_interest(exchange: Exchange, ask: Ask) -> Any:
    """``/fapi/v1/openInterest``: what is open now."""
    params.known_only(ask.query, "symbol")
    if _contract(exchange, ask) is None:
        return {}
    symbol = ask.query["symbol"]
    until = exchange.made_until(symbol)
    latest = exchange.open_interests(symbol, until - 2 * GRID_US)
    if not latest:
        raise ApiError(-1121, "Invalid symbol.")
    return {"symbol": symbol, "openInterest": latest[-1].amount, "time": exchange.server_us() // 1000}


def open_interest_history(exchange: Exchange, ask: Ask) -> Any:
    """``/futures/data/openInterestHist``: open interest by period, oldest first, of the last 30 days only.

    From ``startTime`` on where it is given, else the latest up to ``endTime``.
    """
    params.known_only(ask.query, "symbol", "period", "startTime", "endTime", "limit")
    contract = _contract(exchange, ask)
    period_us = PERIODS.get(params.text(ask.query, "period"))
    if period_us is None:
        raise ApiError(-1130, "parameter 'period' is invalid.")
    limit, (low, high) = params.limit(ask.query, 30, 500), params.span(ask.query)
    oldest = exchange.now_us() - HISTORY_US
    if low is not None and low < oldest // 1000 * 1000:
        raise ApiError(-1130, "parameter 'startTime' is invalid.")
    if contract is None:
        return []
    symbol = ask.query["symbol"]
    until = min(exchange.made_until(symbol), high if high is not None else 1 << 62)
    if low is not None:
        low = max(low, exchange.market(symbol).start_us)
        rows = exchange.open_interests(symbol, low, min(until, low + limit * period_us), period_us)
    else:
        rows = exchange.open_interests(symbol, max(until - limit * period_us, oldest), until, period_us)[-limit:]
    return [
        {
            "symbol": symbol,
            "sumOpenInterest": row.amount,
            "sumOpenInterestValue": row.value,
            "timestamp": row.time_us // 1000,
        }
        for row in rows
    ]


def _contract(exchange: Exchange, ask: Ask) -> Contract | None:
    market = market_asked(exchange, ask.query)
    if market is None:
        return None
    if market.listing.symbol not in exchange.contracts:
        raise ApiError(-1121, "Invalid symbol.")
    return exchange.contracts[market.listing.symbol]


ENDPOINTS = {
    "/fapi/v1/ping": Endpoint(ping, 1, "futures"),
    "/fapi/v1/time": Endpoint(server_time, 1, "futures"),
    "/fapi/v1/fundingRate": Endpoint(funding_rate, 0, "futures", "funding"),
    "/fapi/v1/fundingInfo": Endpoint(funding_info, 0, "futures", "funding"),
    "/fapi/v1/openInterest": Endpoint(open_interest, 1, "futures"),
    "/futures/data/openInterestHist": Endpoint(open_interest_history, 0, "futures", "open_interest"),
}
"""Function and price by path."""
