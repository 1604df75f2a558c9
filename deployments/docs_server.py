"""The Data Docs and the metrics, on loopback: ``python -m deployments.docs_server --port 8502``.

``/`` is the index of `reports/data_docs`, ``/metrics`` what `lake.health` wrote last, for Prometheus. It only reads,
lists no folder, follows no link out of the folder, and answers loopback's own names alone (no other site can be made
to read it).
"""

import argparse
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lake import settings
from lake.layout import Layout

_HOSTS = {"127.0.0.1", "localhost", "[::1]"}
EMPTY = "<p>No validation has run yet: <code>crypto-lake validate-rules</code> makes these pages.</p>"


class Pages(SimpleHTTPRequestHandler):
    """Files of one folder, and the metrics."""

    def __init__(self, *given: Any, layout: Layout, **more: Any) -> None:
        self._layout = layout
        self._root = (layout.reports / "data_docs").resolve()
        super().__init__(*given, directory=str(self._root), **more)

    def do_GET(self) -> None:
        """Answer a GET."""
        host = self.headers.get("Host", "").rsplit(":", 1)[0]
        if host not in _HOSTS:
            self.send_error(HTTPStatus.FORBIDDEN, "asked by another name than loopback's")
        elif self.path == "/metrics":
            self._say(self._metrics(), "text/plain; version=0.0.4; charset=utf-8")
        elif self.path in ("/", "/index.html") and not (self._root / "index.html").is_file():
            self._say(EMPTY.encode(), "text/html; charset=utf-8")
        elif not self._inside():
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            super().do_GET()

    do_HEAD = do_GET  # noqa: N815  the name that http.server looks for

    def _inside(self) -> bool:
        path = Path(self.translate_path(self.path)).resolve()
        return self._root in (path, *path.parents) and (path.is_file() or path == self._root)

    def _metrics(self) -> bytes:
        try:
            return (self._layout.logs / "health" / "metrics.prom").read_bytes()
        except OSError:
            return b""

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

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name in http.server
        """Say nothing of each request."""


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    handler = partial(Pages, layout=settings.load().layout)
    with ThreadingHTTPServer(("127.0.0.1", parser.parse_args().port), handler) as server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
