"""What stands before every path of the REST port: its price, and the faults ordered for it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from simulator.faults import Fault, Faults

Handler = Callable[[Request], Awaitable[Response]]
Charge = Callable[[Request], tuple[Mapping[str, str], Response | None]]
"""Takes a request's price: returns headers for its answer, and a refusal where there is nothing left to take."""


def free(request: Request) -> tuple[Mapping[str, str], Response | None]:
    """Charge nothing."""
    del request
    return {}, None


def guarded(faults: Faults, handler: Handler, charge: Charge = free) -> Handler:
    """Return a handler that pays first and then meets the faults ordered for its path and symbol."""

    async def handle(request: Request) -> Response:
        await _slow(faults, request)
        headers, refused = charge(request)
        answer = refused or _refusal(faults, request) or await handler(request)
        answer.headers.update(headers)
        return answer

    return handle


def about(fault: Fault, request: Request) -> bool:
    """Whether a request is in a fault's scope: its path begins so, and its symbol (query or path) is among them."""
    path = str(request.scope["path"])
    if not path.startswith(fault.path):
        return False
    return not fault.symbols or bool(fault.symbols & {request.query_params.get("symbol", ""), *path.split("/")})


def over_limit(status: int, retry_after: int, limit: str = "6000 request weight per 1 MINUTE") -> Response:
    """Return the exchange's 429, or its 418 for a ban, with the seconds to wait."""
    message = (
        f"Too much request weight used; current limit is {limit}. "
        "Please use WebSocket Streams for live updates to avoid polling the API."
        if status == 429
        else f"Way too much request weight used; IP banned for {retry_after} s."
    )
    return json_answer({"code": -1003, "msg": message}, status, {"Retry-After": str(retry_after)})


def json_answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return JSON values, or text that is JSON already, as an answer."""
    text = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return Response(text, status, headers, media_type="application/json;charset=UTF-8")


async def _slow(faults: Faults, request: Request) -> None:
    for fault in faults.active("slow"):
        if about(fault, request) and faults.hit(fault):
            await asyncio.sleep(fault.parameters["ms"] / 1000)


def _refusal(faults: Faults, request: Request) -> Response | None:
    for fault in faults.active("429", "418", "500"):
        if about(fault, request) and faults.hit(fault):
            if fault.kind == "500":
                return json_answer(
                    {"code": -1000, "msg": "An unknown error occurred while processing the request."}, 500
                )
            return over_limit(int(fault.kind), fault.parameters["retry_after"])
    return None
