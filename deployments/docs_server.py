"""The Data Docs and the metrics, on loopback: ``python -m deployments.docs_server --port 8502``.

``/`` is the index of `reports/data_docs`, ``/metrics`` the health of all parts, composed anew, for Prometheus. It
only reads, lists no folder, follows no link out of the folder, and answers nobody but this machine's programs and its
own pages (`lake.loopback`).
"""

import argparse
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from lake import health, loopback, settings
from lake.errors import BadInputError
from lake.layout import Layout

EMPTY = "<p>No validation has run yet: <code>crypto-lake validate-rules</code> makes these pages.</p>"


class Pages(SimpleHTTPRequestHandler):
    """Files of one folder, and the metrics."""

    def __init__(self, *given: Any, layout: Layout, **more: Any) -> None:
        self._layout = layout
        self._root = (layout.reports / "data_docs").resolve()
        super().__init__(*given, directory=str(self._root), **more)

    def do_GET(self) -> None:
        """Answer a GET."""
        if loopback.strange({name.lower(): value for name, value in self.headers.items()}):
            self.send_error(HTTPStatus.FORBIDDEN, "asked by another site, or by another name than loopback's")
        elif self.path == "/metrics":
            self._say(health.metrics(self._layout, datetime.now(UTC)).encode(), CONTENT_TYPE_PLAIN_0_0_4)
        elif self.path in ("/", "/index.html") and not (self._root / "index.html").is_file():
            self._say(EMPTY.encode(), "text/html; charset=utf-8")
        elif not self._inside():
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            super().do_GET()

    def do_HEAD(self) -> None:
        """Answer a HEAD as a GET, without the body."""
        self.do_GET()

    def _inside(self) -> bool:
        path = Path(self.translate_path(self.path)).resolve()
        return self._root in (path, *path.parents) and (path.is_file() or path == self._root)

    def _say(self, body: bytes, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def end_headers(self) -> None:
        """No page is to be framed, sniffed or kept."""
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("X-Frame-Options", "DENY")
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing of each request."""


def server(layout: Layout, port: int) -> ThreadingHTTPServer:
    """Return a server that listens on 127.0.0.1, and does not answer yet.

    Raises:
        BadInputError: the port is taken.
    """
    try:
        found = ThreadingHTTPServer(("127.0.0.1", port), partial(Pages, layout=layout))
    except OSError as error:
        raise BadInputError(f"docs.port {port}: {error.strerror}: set another, or 0 for a free one") from None
    found.daemon_threads = True
    return found


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    with server(settings.load().layout, parser.parse_args().port) as found, suppress(KeyboardInterrupt):
        found.serve_forever()


if __name__ == "__main__":
    main()
