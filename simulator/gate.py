"""What stands before every path of the REST port: its price, and the faults ordered for it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from simulator.faults import Fault, Faults

_LOOK_SECONDS = 0.02
"""How often a hanging request looks whether anyone still waits for it."""
_ERRORS = {
    "500": {"code": -1000, "msg": "An unknown error occurred while processing the request."},
    "451": {
        "code": 0,
        "msg": "Service unavailable from a restricted location according to 'b. Eligibility' in the terms of use. "
        "Please contact customer service if you believe you received this message in error.",
    },
}
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
        await _hang(faults, request)
        headers, refused = charge(request)
        answer = refused or _refusal(faults, request) or await handler(request)
        answer.headers.update(headers)
        return _whole_or_half(faults, request, answer)

    return handle


def about(fault: Fault, request: Request) -> bool:
    """Whether a request is in a fault's scope: its path begins so, and its symbol (query or path) is among them."""
    path = str(request.scope["path"])
    return fault.covers(path, {request.query_params.get("symbol", ""), *path.split("/")})


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


async def _hang(faults: Faults, request: Request) -> None:
    """Wait until the client leaves or the fault is withdrawn."""
    for fault in faults.active("hang"):
        if about(fault, request) and faults.hit(fault):
            # That a client has left is told only when asked for.
            while faults.stands(fault) and not await request.is_disconnected():  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_SECONDS)


def _whole_or_half(faults: Faults, request: Request, answer: Response) -> Response:
    for fault in faults.active("truncated"):
        if request.method != "HEAD" and answer.body and about(fault, request) and faults.hit(fault):
            return _Half(answer)
    return answer


class _Half(Response):
    """An answer that promises its whole length and ends after half of it: the server then closes the connection."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.body, answer.status_code, dict(answer.headers))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})


def _refusal(faults: Faults, request: Request) -> Response | None:
    for fault in faults.active("429", "418", "500", "451"):
        if about(fault, request) and faults.hit(fault):
            if fault.kind in _ERRORS:
                return json_answer(_ERRORS[fault.kind], int(fault.kind))
            return over_limit(int(fault.kind), fault.parameters["retry_after"])
    return None
