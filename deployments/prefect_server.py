"""Prefect's server as the lake runs it: ``python -m deployments.prefect_server --host 127.0.0.1 --port 4200``.

It is ``prefect server start`` with three changes:

- On SQLite, Prefect 3.8 begins most transactions DEFERRED; one that reads, then writes, while another has written in
  between, fails at once with "database is locked" (SQLite on BEGIN: no waiting helps there) and stands in the log as an
  ERROR: seen within the first minute of a worker. Begun IMMEDIATE, they wait for each other, which a server with one
  worker does not notice.
- Without a login, `lake.loopback` stands before it. Prefect 3.8 looks at no ``Host``, so a page whose name resolves
  to 127.0.0.1 gets a CSRF token and may deploy code, and at no ``Origin`` of a WebSocket, so that any page reads all
  events and logs. With a login neither has the password to say.
- Its pages may fetch from where they came and from nowhere else: the UI asks Amplitude, whose analytics it has, for
  settings whatever ``PREFECT_SERVER_ANALYTICS_ENABLED`` says, and shows pictures of others, which then know of it.
"""

import sys
from contextlib import AbstractAsyncContextManager
from typing import Any

import uvicorn
from prefect.server.database.configurations import AioSqliteConfiguration
from prefect.settings import get_current_settings

from lake import loopback

POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'none'"
_begin, _run = AioSqliteConfiguration.begin_transaction, uvicorn.run


def _begin_immediate(
    self: AioSqliteConfiguration, session: Any, with_for_update: bool = False
) -> AbstractAsyncContextManager[Any]:
    del with_for_update
    return _begin(self, session, with_for_update=True)


def wait_for_the_lock() -> None:
    """Let every transaction on SQLite take the write lock when it begins."""
    AioSqliteConfiguration.begin_transaction = _begin_immediate  # type: ignore[method-assign,assignment]


class AtHome:
    """An ASGI application whose answers say `POLICY`: a page fetches nothing from elsewhere, and nobody frames it."""

    def __init__(self, app: Any) -> None:
        """Stand before an application."""
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass on a request, and its answer with the policy."""

        async def say(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"content-security-policy", POLICY.encode())]
            await send(message)

        await self._app(scope, receive, say)


def _run_guarded(app: Any, **more: Any) -> None:
    """What the server asks itself within its process goes to the application itself, by a name of no consequence."""
    app = AtHome(app)
    _run(loopback.Guard(app) if get_current_settings().server.api.auth_string is None else app, **more)


def answer_loopback_alone() -> None:
    """Let the server answer nobody but this machine's programs and its own pages, unless it asks for a login."""
    uvicorn.run = _run_guarded


if __name__ == "__main__":
    from prefect.cli import app

    wait_for_the_lock()
    answer_loopback_alone()
    sys.argv[1:1] = ["server", "start"]
    sys.exit(app())
