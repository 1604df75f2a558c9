"""The REST port: weights, limits and faults around the endpoints of the modules in `MODULES`."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator import spot, yahoo
from simulator.budget import Budget
from simulator.exchange import Exchange
from simulator.faults import Fault, Faults
from simulator.params import ApiError
from simulator.spot import Ask

Endpoint = Callable[[Exchange, Ask], Any]
MODULES: tuple[Mapping[str, tuple[int, Endpoint]], ...] = (spot.ENDPOINTS,)
_UNITS = {"MILLISECOND": 1000, "MICROSECOND": 1}


def rest_app(exchange: Exchange, faults: Faults, budget: Budget, yahoo_folder: Path | None = None) -> Starlette:
    """Return the application; ``yahoo_folder`` has recorded payloads of Yahoo's (`simulator.yahoo.recorded`)."""
    exchange.weight_limit = budget.limit
    routes = [
        Route(path, _route(exchange, faults, budget, weight, function))
        for module in MODULES
        for path, (weight, function) in module.items()
    ]
    routes += yahoo.routes(faults, exchange.now_us, exchange.plan.seed, yahoo_folder)
    return Starlette(routes=routes)


def _route(
    exchange: Exchange, faults: Faults, budget: Budget, weight: int, function: Endpoint
) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        await _slow(faults, request)
        address = request.client.host if request.client else "?"
        verdict = budget.charge(address, weight, exchange.now_us() / 1e6)
        headers = {"X-MBX-USED-WEIGHT-1M": str(verdict.used), "X-MBX-USED-WEIGHT": str(verdict.used)}
        if verdict.status != 200:
            return _limited(verdict.status, verdict.retry_after, headers, budget.limit)
        for fault in faults.active("429", "418", "500"):
            if _about(fault, request) and faults.hit(fault):
                if fault.kind == "500":
                    return _answer(
                        {"code": -1000, "msg": "An unknown error occurred while processing the request."}, 500, headers
                    )
                return _limited(int(fault.kind), fault.parameters["retry_after"], headers, budget.limit)
        try:
            body = await asyncio.to_thread(function, exchange, _ask(request))
        except ApiError as error:
            return _answer(error.body, error.status, headers)
        return _answer(body, 200, headers)

    return handle


def _ask(request: Request) -> Ask:
    unit = request.headers.get("X-MBX-TIME-UNIT", "MILLISECOND").upper()
    if unit not in _UNITS:
        raise ApiError(-1194, "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.")
    return Ask(dict(request.query_params), _UNITS[unit])


async def _slow(faults: Faults, request: Request) -> None:
    for fault in faults.active("slow"):
        if _about(fault, request) and faults.hit(fault):
            await asyncio.sleep(fault.parameters["ms"] / 1000)


def _about(fault: Fault, request: Request) -> bool:
    if not request.url.path.startswith(fault.path):
        return False
    return not fault.symbols or request.query_params.get("symbol") in fault.symbols


def _limited(status: int, retry_after: int, headers: dict[str, str], limit: int) -> Response:
    message = (
        f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE. "
        "Please use WebSocket Streams for live updates to avoid polling the API."
        if status == 429
        else f"Way too much request weight used; IP banned for {retry_after} s."
    )
    return _answer({"code": -1003, "msg": message}, status, headers | {"Retry-After": str(retry_after)})


def _answer(body: Any, status: int, headers: dict[str, str]) -> Response:
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return Response(text, status, headers, media_type="application/json;charset=UTF-8")
