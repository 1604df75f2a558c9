"""The control port: the truth about what was made and sent, faults on order, connections, pause and resume."""

import asyncio
import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.candles import INTERVALS
from simulator.fault_kinds import KINDS
from simulator.faults import FaultError
from simulator.running import Running


def control_app(sim: Running) -> Starlette:
    """Return the application around a running stand-in."""
    port = ControlPort(sim)
    return Starlette(
        routes=[
            Route("/", port.overview),
            Route("/truth/trades", port.trades),
            Route("/truth/quotes", port.quotes),
            Route("/truth/klines", port.klines),
            Route("/truth/funding", port.fundings),
            Route("/truth/open_interest", port.open_interests),
            Route("/truth/sent", port.sent),
            Route("/connections", port.connections),
            Route("/faults", port.list_faults, methods=["GET"]),
            Route("/faults", port.order, methods=["POST"]),
            Route("/faults", port.clear, methods=["DELETE"]),
            Route("/replay", port.replay),
            Route("/pause", port.pause, methods=["POST"]),
            Route("/resume", port.resume, methods=["POST"]),
        ]
    )


class ControlPort:
    """The endpoints. Times in and out are µs since 1970 UTC; ``from`` is inclusive, ``to`` exclusive."""

    def __init__(self, sim: Running) -> None:
        self._sim = sim

    async def overview(self, _: Request) -> Response:
        """Addresses, the market's plan and the kinds of faults there are."""
        sim, exchange = self._sim, self._sim.exchange
        return _json({
            "ws_url": sim.ws_url, "rest_url": sim.rest_url, "control_url": sim.control_url,
            "symbols": list(exchange.markets),
            "seed": exchange.plan.seed, "start_us": exchange.start_us, "live_us": exchange.live_us,
            "opened_us": exchange.opened_us, "made_until_us": exchange.horizon_us,
            "faults": {name: {"does": kind.does, "parameters": {k: p.default for k, p in kind.parameters.items()}}
                       for name, kind in KINDS.items()},
        })  # fmt: skip

    async def trades(self, request: Request) -> Response:
        """Every trade made in a span: id, time_us, price, qty, quote_qty, buyer_is_maker, aggregate_id."""
        return await self._records(request, self._sim.trades)

    async def quotes(self, request: Request) -> Response:
        """Every best quote made in a span: update_id, time_us, bid, bid_qty, ask, ask_qty."""
        return await self._records(request, self._sim.quotes)

    async def klines(self, request: Request) -> Response:
        """The klines of a span, ``interval`` (default 1m), as the exchange's arrays in ms."""
        interval = request.query_params.get("interval", "1m")
        if interval not in INTERVALS:
            return _wrong(f"interval {interval!r}: expected one of {', '.join(INTERVALS)}")

        def rows(symbol: str, low: int | None, high: int | None) -> list[list[Any]]:
            return self._sim.klines(symbol, interval, low, None if high is None else high - 1)

        return await self._records(request, rows)

    async def fundings(self, request: Request) -> Response:
        """Every funding paid in a span: symbol, time_us, rate, mark_price."""
        return await self._records(request, self._sim.fundings)

    async def open_interests(self, request: Request) -> Response:
        """The open interest of every fifth minute of a span: symbol, time_us, amount, value."""
        return await self._records(request, self._sim.open_interests)

    async def sent(self, _: Request) -> Response:
        """First and last id and frames by stream, and frames by connection and stream."""
        return _json(self._sim.sent())

    async def connections(self, _: Request) -> Response:
        """The connections, open and lately closed."""
        return _json(self._sim.connections())

    async def list_faults(self, _: Request) -> Response:
        """The orders given and how often each has hit."""
        return _json(self._sim.faults.all())

    async def order(self, request: Request) -> Response:
        """Order a fault, or a list of them."""
        try:
            raw = json.loads(await request.body())
        except ValueError:
            return _wrong('expected JSON such as {"kind": "drop"}')
        orders = raw if isinstance(raw, list) else [raw]
        try:
            done = [await asyncio.to_thread(self._sim.order, item) for item in orders]
        except FaultError as error:
            return _wrong(str(error))
        return _json(done if isinstance(raw, list) else done[0])

    async def clear(self, request: Request) -> Response:
        """Withdraw all faults, or the one with ``id``."""
        return _json({"withdrawn": self._sim.clear_faults(request.query_params.get("id"))})

    async def replay(self, _: Request) -> Response:
        """How far the replay is: ``state`` is none, waiting, running or ended."""
        return _json(self._sim.replay.public() if self._sim.replay else {"state": "none"})

    async def pause(self, _: Request) -> Response:
        """Make no more trades."""
        self._sim.pause()
        return _json({"made_until_us": self._sim.exchange.horizon_us})

    async def resume(self, _: Request) -> Response:
        """Go on."""
        self._sim.resume()
        return _json({"made_until_us": self._sim.exchange.horizon_us})

    async def _records(self, request: Request, source: Any) -> Response:
        try:
            symbol, low, high = _span(request)
            rows = await asyncio.to_thread(source, symbol, low, high)
        except (KeyError, ValueError) as error:
            return _wrong(str(error.args[0]))
        return _json([row._asdict() if hasattr(row, "_asdict") else row for row in rows])


def _span(request: Request) -> tuple[str, int | None, int | None]:
    query = request.query_params
    bounds = []
    for name in ("from", "to"):
        value = query.get(name)
        if value is not None and not (value.isascii() and value.isdigit()):
            raise ValueError(f"{name} {value[:40]!r}: expected µs since 1970 UTC")
        bounds.append(int(value) if value else None)
    if not query.get("symbol"):
        raise ValueError("symbol: needed, such as symbol=SOLUSDT")
    return query["symbol"], bounds[0], bounds[1]


def _json(body: Any) -> Response:
    return Response(json.dumps(body, separators=(",", ":"), ensure_ascii=False), media_type="application/json")


def _wrong(message: str) -> Response:
    return Response(json.dumps({"error": message}, ensure_ascii=False), 400, media_type="application/json")
