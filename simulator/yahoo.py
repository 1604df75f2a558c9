"""Yahoo's chart endpoint as yfinance 1.7 calls it: cookie, crumb, ``/v8/finance/chart/TICKER``.

A ticker's minutes follow from seed and time alone, and are there only when its market is open (`lake.calendars`); the
minute still forming is the last one, as at Yahoo. Or recorded payloads are served from a folder.
"""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from simulator import yahoo_chart
from simulator.faults import Fault, Faults

DAY_S = 86_400
_RANGES = {"1d": 1, "5d": 5, "7d": 7, "8d": 8, "1mo": 30}
_CRUMB = "s1mulat0r"


@dataclass(frozen=True)
class RefusalError(Exception):
    """An error of Yahoo's: HTTP status, code, description."""

    status: int
    code: str
    description: str

    @property
    def body(self) -> dict[str, Any]:
        """Yahoo's way of saying it."""
        return {"chart": {"result": None, "error": {"code": self.code, "description": self.description}}}


def routes(faults: Faults, clock: Callable[[], int], seed: int, folder: Path | None = None) -> list[Route]:
    """Return the endpoints.

    Args:
        faults: ``429``, ``500`` and ``slow`` with a ``path`` that begins with ``/v8/`` (or none), ``yahoo_schema`` and
            ``yahoo_nulls``. For one ticker: the path ``/v8/finance/chart/SPY``.
        clock: Returns µs since 1970 UTC.
        seed: Chooses the prices.
        folder: Recorded payloads to serve in place of made-up ones, whatever range is asked for; see `recorded`.
    """

    async def chart(request: Request) -> Response:
        if refused := await _faulty(faults, request):
            return refused
        try:
            body = await asyncio.to_thread(_chart, request, clock(), seed, folder)
        except RefusalError as refusal:
            return _json(refusal.body, refusal.status)
        return _json(_spoilt(body, faults, request))

    async def crumb(request: Request) -> Response:
        return await _faulty(faults, request) or PlainTextResponse(_CRUMB)

    async def cookie(request: Request) -> Response:
        """fc.yahoo.com answers 404 and sets the cookie all the same."""
        if refused := await _faulty(faults, request):
            return refused
        answer = PlainTextResponse("", 404)
        answer.set_cookie("A3", "d=simulator", max_age=365 * DAY_S)
        return answer

    return [
        Route("/v8/finance/chart/{ticker}", chart),
        Route("/v1/test/getcrumb", crumb),
        Route("/consent", cookie),
        Route("/", cookie),
    ]


def recorded(folder: Path, ticker: str) -> Path:
    """Return the payload of a ticker: ``chart_1m_2018-05-29_O_F.json`` is of ``O=F``, ``…_GSPC.json`` of ``^GSPC``.

    Raises:
        RefusalError: there is none.
    """
    name = re.escape(ticker.lstrip("^").replace("=", "_"))
    found = sorted(
        path for path in folder.glob("*.json") if re.fullmatch(rf"(chart_1m_[\d-]+_)?{name}\.json", path.name)
    )
    if not found:
        raise _unknown()
    return found[-1]


def _chart(request: Request, now_us: int, seed: int, folder: Path | None) -> dict[str, Any]:
    ticker, query = request.path_params["ticker"], request.query_params
    if folder is not None:
        body: dict[str, Any] = json.loads(recorded(folder, ticker).read_text(encoding="utf-8"))
        return body
    if ticker not in yahoo_chart.TICKERS:
        raise _unknown()
    now = now_us // 1_000_000
    start, end = _span(query.get("period1"), query.get("period2"), query.get("range"), now)
    interval = query.get("interval", "1d")
    if interval == "1m":
        _refuse_too_much(start, end, now)
    elif interval != "1d":
        raise RefusalError(422, "Unprocessable Entity", f"Invalid input - interval={interval[:10]} is not supported.")
    with_prepost = query.get("includePrePost", "").lower() == "true"
    return yahoo_chart.payload(ticker, seed, start, end, now_us, interval, with_prepost)


def _span(first: str | None, last: str | None, period: str | None, now: int) -> tuple[int, int]:
    try:
        if first is not None and last is not None:
            start, end = int(first), int(last)
        else:
            start, end = now - _RANGES[period or "1d"] * DAY_S, now
    except (ValueError, KeyError):
        raise RefusalError(400, "Bad Request", "Invalid input - period1, period2 or range") from None
    if start >= end:
        raise RefusalError(400, "Bad Request", f"Invalid input - start date cannot be after end date. {start=}, {end=}")
    return start, end


def _refuse_too_much(start: int, end: int, now: int) -> None:
    text = f"1m data not available for startTime={start} and endTime={end}. "
    if start < now - 30 * DAY_S:
        raise RefusalError(422, "Unprocessable Entity", text + "The requested range must be within the last 30 days.")
    if end - start > 8 * DAY_S:
        raise RefusalError(
            422, "Unprocessable Entity",
            text + "Only 8 days worth of 1m granularity data are allowed to be fetched per request.",
        )  # fmt: skip


def _unknown() -> RefusalError:
    return RefusalError(404, "Not Found", "No data found, symbol may be delisted")


async def _faulty(faults: Faults, request: Request) -> Response | None:
    for fault in faults.active("slow", "429", "500"):
        if not _about(fault, request) or not faults.hit(fault):
            continue
        if fault.kind == "slow":
            await asyncio.sleep(fault.parameters["ms"] / 1000)
        elif fault.kind == "429":
            return PlainTextResponse("Edge: Too Many Requests", 429)
        else:
            return PlainTextResponse("<html><body>Internal Server Error</body></html>", 500)
    return None


def _about(fault: Fault, request: Request) -> bool:
    return request.url.path.startswith(fault.path)


def _spoilt(body: dict[str, Any], faults: Faults, request: Request) -> dict[str, Any]:
    for fault in faults.active("yahoo_schema", "yahoo_nulls"):
        quote = body["chart"]["result"][0]["indicators"]["quote"][0]
        if not quote or not _about(fault, request) or not faults.hit(fault):
            continue
        if fault.kind == "yahoo_nulls":
            for column in quote.values():
                column[::2] = [None] * len(column[::2])
        elif fault.parameters["shape"] == "renamed":
            quote["last"] = quote.pop("close")
        elif fault.parameters["shape"] == "dropped":
            del quote["volume"]
        else:
            quote["open"] = [None if value is None else str(value) for value in quote["open"]]
    return body


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body, separators=(",", ":")), status, media_type="application/json;charset=utf-8")
