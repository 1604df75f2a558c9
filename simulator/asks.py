"""What a REST request asks of the exchange, and what an endpoint is: a function, and what it costs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator import params
from simulator.exchange import Exchange
from simulator.market import SymbolMarket
from simulator.params import ApiError


@dataclass(frozen=True)
class Ask:
    """A request: its query, the answer's unit of time in µs (1000, or 1 where the header asks for it), and its path."""

    query: Mapping[str, str]
    unit_us: int
    path: str = ""


@dataclass(frozen=True)
class Endpoint:
    """One path's function and price.

    Attributes:
        answer: Returns JSON values, or text that is JSON already.
        weight: What it takes from the account of its market.
        account: That account (`simulator.budget.LIMITS`).
        requests: An account of its own in which it counts as one request, or None.
        quick: Tells of a request whose answer takes so few milliseconds that a thread of its own would cost more than
            it spares the streams.
    """

    answer: Callable[[Exchange, Ask], Any]
    weight: int
    account: str = "spot"
    requests: str | None = None
    quick: Callable[[Exchange, Ask], bool] = lambda exchange, ask: False


def market_asked(exchange: Exchange, query: Mapping[str, str]) -> SymbolMarket | None:
    """Return the market of a request's ``symbol``; None where a fault has it answer with nothing.

    Raises:
        ApiError: -1121 for a pair that is not listed, or not yet.
    """
    name = params.symbol_text(params.text(query, "symbol"))
    treatment = exchange.delisting(name) if exchange.listed(name) else "error"
    if treatment == "error":
        raise ApiError(-1121, "Invalid symbol.")
    return None if treatment == "empty" else exchange.markets[name]
