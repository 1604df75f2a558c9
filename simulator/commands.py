"""What a client may ask of the stream port: the path it opens and the messages it sends. Pure: no socket here.

Facts: web-socket-streams.md, "General WSS information", "Live Subscribing/Unsubscribing to streams", "Error Messages".
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

MAX_STREAMS = 1024
"""Streams per connection ("WebSocket Limits")."""
METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
_ID_TEXT = re.compile(r"[A-Za-z0-9_-]{0,36}")


@dataclass
class Session:
    """What one connection listens to.

    Attributes:
        combined: Payloads come wrapped as ``{"stream": …, "data": …}``.
        micro: Times are microseconds, not milliseconds.
        streams: Names in the order subscribed.
    """

    combined: bool
    micro: bool = False
    streams: dict[str, None] = field(default_factory=dict)


class PathError(ValueError):
    """The path is none of the exchange's; the message says which there are."""


class TooManyStreamsError(ValueError):
    """More than 1024 streams on one connection."""


def open_path(path: str) -> Session:
    """Return the session a path opens.

    Raises:
        PathError: Neither ``/ws``, ``/ws/<stream>`` nor ``/stream``, or an unknown timeUnit.
        TooManyStreamsError: More than 1024 streams in the path.
    """
    parts = urlsplit(path)
    query = parse_qs(parts.query)
    unit = (query.get("timeUnit") or ["MILLISECOND"])[0].upper()
    if unit not in ("MILLISECOND", "MICROSECOND"):
        raise PathError(f"timeUnit {unit}: expected MILLISECOND or MICROSECOND")
    route = unquote(parts.path).rstrip("/")
    if route == "/stream":
        names = "/".join(query.get("streams", [])).split("/")
    elif route == "/ws" or route.startswith("/ws/"):
        names = route.removeprefix("/ws").split("/")
    else:
        raise PathError(f"{route or '/'}: expected /ws, /ws/<stream> or /stream?streams=<stream>/<stream>")
    session = Session(route == "/stream", unit == "MICROSECOND")
    subscribe(session, [name for name in names if name])
    return session


def subscribe(session: Session, names: list[str]) -> None:
    """Add streams; a name that stands for nothing is taken as well, and stays silent."""
    if len(session.streams | dict.fromkeys(names)) > MAX_STREAMS:
        raise TooManyStreamsError(f"more than {MAX_STREAMS} streams")
    session.streams.update(dict.fromkeys(names))


def answer(session: Session, message: str | bytes) -> str:
    """Carry out one message and return the exchange's reply as JSON.

    Raises:
        TooManyStreamsError: The connection is to be closed.
    """
    try:
        request = json.loads(message)
    except ValueError as error:
        line, column = getattr(error, "lineno", 1), getattr(error, "colno", 1)
        return _error(3, f"Invalid JSON: expected value at line {line} column {column}")
    if not isinstance(request, dict) or "method" not in request:
        return _error(2, f"Invalid request: missing field `method` at line 1 column {len(message)}")
    if not _good_id(request.get("id", False)):
        return _error(2, "Invalid request: request ID must be an unsigned integer")
    if request["method"] not in METHODS:
        known = ", ".join(f"`{method}`" for method in METHODS)
        return _error(
            2, f"Invalid request: unknown variant `{request['method']}`, expected one of {known} at line 1 column 28"
        )
    if set(request) - {"method", "params", "id"}:
        return _error(2, "Invalid request: too many parameters")
    return _obey(session, request["method"], request.get("params"), request["id"])


def _obey(session: Session, method: str, params: Any, ident: Any) -> str:
    if method == "LIST_SUBSCRIPTIONS":
        return _result(list(session.streams), ident)
    if not isinstance(params, list):
        return _error(2, "Invalid request: params must be an array")
    if method in ("SUBSCRIBE", "UNSUBSCRIBE"):
        if not all(isinstance(name, str) for name in params):
            return _error(2, "Invalid request: stream name must be a string")
        if method == "SUBSCRIBE":
            subscribe(session, params)
        else:
            for name in params:
                session.streams.pop(name, None)
        return _result(None, ident)
    return _property(session, method, params, ident)


def _property(session: Session, method: str, params: list[Any], ident: Any) -> str:
    wanted = 2 if method == "SET_PROPERTY" else 1
    if not params or not isinstance(params[0], str):
        return _error(2, "Invalid request: property name must be a string")
    if len(params) > wanted:
        return _error(2, "Invalid request: too many parameters")
    if params[0] != "combined":
        return json.dumps({"code": 0, "msg": "Unknown property", "id": ident}, separators=(",", ":"))
    if method == "GET_PROPERTY":
        return _result(session.combined, ident)
    if len(params) < 2 or not isinstance(params[1], bool):
        return _error(1, "Invalid value type: expected Boolean")
    session.combined = params[1]
    return _result(None, ident)


def _good_id(ident: Any) -> bool:
    if isinstance(ident, bool):
        return False
    if isinstance(ident, int):
        return abs(ident) < 1 << 63
    return ident is None or (isinstance(ident, str) and _ID_TEXT.fullmatch(ident) is not None)


def _result(value: Any, ident: Any) -> str:
    return json.dumps({"result": value, "id": ident}, separators=(",", ":"), ensure_ascii=False)


def _error(code: int, message: str) -> str:
    return json.dumps({"code": code, "msg": message}, separators=(",", ":"))
