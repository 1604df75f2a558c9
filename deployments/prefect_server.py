"""Prefect's server as `up` and the demo run it: ``python -m deployments.prefect_server --host 127.0.0.1 --port 4200``.

It is ``prefect server start`` with one change. On SQLite, Prefect 3.8 begins most transactions DEFERRED; one that
reads, then writes, while another has written in between, fails at once with "database is locked" (SQLite on BEGIN: no
waiting helps there) and stands in the log as an ERROR: seen within the first minute of a worker. Begun IMMEDIATE, they
wait for each other, which a server with one worker does not notice.
"""

import sys
from contextlib import AbstractAsyncContextManager
from typing import Any

from prefect.server.database.configurations import AioSqliteConfiguration

_begin = AioSqliteConfiguration.begin_transaction


def _begin_immediate(
    self: AioSqliteConfiguration, session: Any, with_for_update: bool = False
) -> AbstractAsyncContextManager[Any]:
    del with_for_update
    return _begin(self, session, with_for_update=True)


def wait_for_the_lock() -> None:
    """Let every transaction on SQLite take the write lock when it begins."""
    AioSqliteConfiguration.begin_transaction = _begin_immediate  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    from prefect.cli import app

    wait_for_the_lock()
    sys.argv[1:1] = ["server", "start"]
    sys.exit(app())
