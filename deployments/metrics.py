"""Prometheus' endpoint, on loopback: ``/metrics`` is composed anew for each scrape.

``python -m deployments.metrics [PORT]`` serves it until Ctrl-C; `served` does inside of a program.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from lake import health, settings
from lake.errors import BadInputError
from lake.layout import Layout

PORT = 9464


@contextmanager
def served(layout: Layout, port: int) -> Iterator[int]:
    """Serve while the block runs, in a thread; yield the port, a free one where 0 was asked for.

    Raises:
        BadInputError: the port is taken.
    """
    with server(layout, port) as found:
        thread = Thread(target=found.serve_forever, daemon=True)
        thread.start()
        try:
            yield found.server_port
        finally:
            found.shutdown()
            thread.join()


def server(layout: Layout, port: int) -> ThreadingHTTPServer:
    """Return a server that listens, and does not answer yet.

    Raises:
        BadInputError: the port is taken.
    """
    try:
        found = ThreadingHTTPServer(("127.0.0.1", port), _handler(layout))
    except OSError as error:
        raise BadInputError(f"metrics port {port}: {error.strerror}: name another, or 0 for a free one") from None
    found.daemon_threads = True
    return found


def _handler(layout: Layout) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            if self.path.partition("?")[0] != "/metrics":
                self.send_error(404, "only /metrics is here")
                return
            body = health.metrics(layout, datetime.now(UTC)).encode()
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE_PLAIN_0_0_4)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """A scrape every 15 s is not worth a line."""

    return Handler


def main() -> None:
    """Serve the lake of the settings in force until Ctrl-C."""
    with server(settings.load().layout, int(sys.argv[1]) if len(sys.argv) > 1 else PORT) as found:
        print(f"metrics: http://127.0.0.1:{found.server_port}/metrics", flush=True)  # noqa: T201
        with suppress(KeyboardInterrupt):
            found.serve_forever()


if __name__ == "__main__":
    main()
