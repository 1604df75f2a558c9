"""Prefect's server as the lake runs it: ``python -m deployments.prefect_server --host 127.0.0.1 --port 4200``.

It is ``prefect server start`` with two changes:

- On SQLite, Prefect 3.8 begins most transactions DEFERRED; one that reads, then writes, while another has written in
  between, fails at once with "database is locked" (SQLite on BEGIN: no waiting helps there) and stands in the log as an
  ERROR: seen within the first minute of a worker. Begun IMMEDIATE, they wait for each other, which a server with one
  worker does not notice.
- Without a login, `lake.loopback` stands before it. Prefect 3.8 looks at no ``Host``, so a page whose name resolves
  to 127.0.0.1 gets a CSRF token and may deploy code, and at no ``Origin`` of a WebSocket, so that any page reads all
  events and logs. With a login neither has the password to say.
"""

import sys
from contextlib import AbstractAsyncContextManager
from typing import Any

from prefect.server.api import server
from prefect.server.database.configurations import AioSqliteConfiguration
from prefect.settings import get_current_settings

from lake import loopback

_begin, _create_app = AioSqliteConfiguration.begin_transaction, server.create_app


def _begin_immediate(
    self: AioSqliteConfiguration, session: Any, with_for_update: bool = False
) -> AbstractAsyncContextManager[Any]:
    del with_for_update
    return _begin(self, session, with_for_update=True)


def wait_for_the_lock() -> None:
    """Let every transaction on SQLite take the write lock when it begins."""
    AioSqliteConfiguration.begin_transaction = _begin_immediate  # type: ignore[method-assign,assignment]


def _create_guarded(*given: Any, **more: Any) -> Any:
    app = _create_app(*given, **more)
    if get_current_settings().server.api.auth_string is None:
        app.add_middleware(loopback.Guard)
    return app


def answer_loopback_alone() -> None:
    """Let the server, where it asks for no login, answer nobody but this machine's programs and its own pages."""
    server.create_app = _create_guarded


if __name__ == "__main__":
    from prefect.cli import app

    wait_for_the_lock()
    answer_loopback_alone()
    sys.argv[1:1] = ["server", "start"]
    sys.exit(app())
