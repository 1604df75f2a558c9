"""The REST port: routes from the modules that have any, each behind the gate of faults."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator import futures, spot, yahoo
from simulator.archive import Archive
from simulator.asks import Ask, Endpoint
from simulator.budget import Budget
from simulator.exchange import Exchange
from simulator.faults import Faults
from simulator.gate import Charge, Handler, guarded, json_answer, over_limit
from simulator.params import ApiError

MODULES: tuple[Mapping[str, Endpoint], ...] = (spot.ENDPOINTS, futures.ENDPOINTS)
"""The API's endpoints by path."""
_UNITS = {"MILLISECOND": 1000, "MICROSECOND": 1}


def rest_app(
    exchange: Exchange,
    faults: Faults,
    accounts: Mapping[str, Budget],
    archive_folder: Path | None = None,
    yahoo_folder: Path | None = None,
) -> Starlette:
    """Return the application: the API, the archive, and Yahoo's charts.

    Files in ``archive_folder`` and payloads in ``yahoo_folder`` (`simulator.yahoo.recorded`) are served in place of
    made-up ones.
    """
    exchange.weight_limit = accounts["spot"].limit
    archive = Archive(exchange, faults, archive_folder)
    charts = yahoo.routes(faults, exchange.now_us, exchange.plan.seed, yahoo_folder)
    return Starlette(routes=[*_api_routes(exchange, faults, accounts), *archive.routes(), *charts])


def _api_routes(exchange: Exchange, faults: Faults, accounts: Mapping[str, Budget]) -> list[Route]:
    return [
        Route(path, _route(exchange, faults, endpoint, _charge(exchange, endpoint, accounts)))
        for module in MODULES
        for path, endpoint in module.items()
    ]


def _route(exchange: Exchange, faults: Faults, endpoint: Endpoint, charge: Charge) -> Handler:
    async def handle(request: Request) -> Response:
        try:
            ask = _ask(request)
            if endpoint.quick(exchange, ask):
                body = endpoint.answer(exchange, ask)
            else:
                body = await asyncio.to_thread(endpoint.answer, exchange, ask)
        except ApiError as error:
            return json_answer(error.body, error.status)
        return json_answer(body)

    return guarded(faults, handle, charge)


def _charge(exchange: Exchange, endpoint: Endpoint, accounts: Mapping[str, Budget]) -> Charge:
    """Return what takes an endpoint's weight, and counts its request where such are limited."""
    prices = [(accounts[endpoint.account], endpoint.weight, "request weight")]
    if endpoint.requests:
        prices.append((accounts[endpoint.requests], 1, "requests"))

    def charge(request: Request) -> tuple[Mapping[str, str], Response | None]:
        address, now = request.client.host if request.client else "?", exchange.now_us() / 1e6
        verdicts = [budget.charge(address, units, now) for budget, units, _ in prices]
        used = str(verdicts[0].used)
        headers = {"X-MBX-USED-WEIGHT-1M": used, "X-MBX-USED-WEIGHT": used}
        for verdict, (budget, _, name) in zip(verdicts, prices, strict=True):
            if verdict.status != 200:
                limit = f"{budget.limit} {name} per {budget.seconds // 60} MINUTE"
                return headers, over_limit(verdict.status, verdict.retry_after, limit)
        return headers, None

    return charge


def _ask(request: Request) -> Ask:
    unit = request.headers.get("X-MBX-TIME-UNIT", "MILLISECOND").upper()
    if unit not in _UNITS:
        raise ApiError(-1194, "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.")
    return Ask(dict(request.query_params), _UNITS[unit], str(request.scope["path"]))
