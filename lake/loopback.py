"""Who may ask a server on loopback: a browser's page that the server itself has given, and programs of this machine.

Any page that is open in a browser can send requests to 127.0.0.1. Some it may read (a WebSocket's origin is the
server's to check), and a page whose name is made to resolve to 127.0.0.1 (DNS rebinding) is taken by the browser for
the server's own, so that neither CORS nor a CSRF token stands against it. What gives it away is the name in ``Host``.

Of a request, ``Host`` must be a name of loopback's own, and ``Origin``, where there is one, the same port of such a
name. Where a browser says that another site asks (``Sec-Fetch-Site``), only a link that was followed is answered:
nothing of it can be read or framed by the other site. Programs send neither of the two.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

NAMES = frozenset({"127.0.0.1", "localhost", "::1"})

_App = Callable[[Any, Any, Any], Awaitable[None]]
_HERE = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:(?P<port>[0-9]{1,5}))?")
_OURS = (None, "same-origin", "none")
_FORBIDDEN = b"refused: asked by another site, or by another name than loopback's\n"


def strange(headers: Mapping[str, str]) -> bool:
    """Tell whether a server on loopback must not answer a request; names of headers are in small letters."""
    host = _HERE.fullmatch(headers.get("host", "").lower())
    origin = _HERE.fullmatch(headers.get("origin", "").removeprefix("http://"))
    if host is None or ("origin" in headers and (origin is None or origin["port"] != host["port"])):
        return True
    followed = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == ("navigate", "document")
    return headers.get("sec-fetch-site") not in _OURS and not followed


class Guard:
    """An ASGI application that answers only who may ask it (`strange`): HTTP with 403, a WebSocket with its refusal."""

    def __init__(self, app: _App) -> None:
        """Stand before an application."""
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Pass on a request, or refuse it."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope.get("headers", ())}
        if scope["type"] not in ("http", "websocket") or not strange(headers):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            told = [(b"content-type", b"text/plain"), (b"content-length", str(len(_FORBIDDEN)).encode())]
            await send({"type": "http.response.start", "status": 403, "headers": told})
            await send({"type": "http.response.body", "body": _FORBIDDEN})
