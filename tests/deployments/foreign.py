"""A page of another site in a real browser, and what it gets from servers on loopback; and their own pages."""

import json
import re
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

from tests import browser
from tests.live import wait

NAMES = {"127.0.0.1": "evil.example", "127.0.0.2": "other.evil.example"}
"""The other site's names, by what they resolve to."""
REFUSED = re.compile("refused: asked by another site|Unauthorized|asked by another site, or by another name")
OPAQUE = "0 "
"""What a page gets of an answer that it must not read."""
_TRY = """
async function read(url, options) {
  try { const answer = await fetch(url, options); return `${answer.status} ${(await answer.text()).slice(0, 99)}` }
  catch (error) { return 'refused' }
}
function socket(url, protocols) {
  return new Promise(done => {
    const one = new WebSocket(url, protocols)
    one.onopen = () => one.send('{"type": "auth", "token": null}')
    one.onmessage = () => { done('open'); one.close() }
    one.onclose = () => done('refused')
  })
}
"""


class _Page(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"<!doctype html><title>evil</title><body>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def site():
    """A server of the other site's; gives its address by its name."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{NAMES['127.0.0.1']}:{server.server_port}/"
        server.shutdown()


def asked(page, tries):
    """What JavaScript expressions, by name, come to in a page; each may be a promise."""
    each = ", ".join(f"{json.dumps(name)}: await {expression}" for name, expression in tries.items())
    page.value(f"{_TRY}; (async () => {{ window.found = {{ {each} }} }})(), 1")
    return wait(partial(page.value, "window.found"), 30)


def reads(url, options=None):
    """JavaScript that reads an address as a script of any page may try."""
    return f"read({json.dumps(url)}, {json.dumps(options or {})})"


def opens(url, *protocols):
    """JavaScript that opens a WebSocket and waits for what it is told."""
    return f"socket({json.dumps(url.replace('http', 'ws', 1))}, {json.dumps(protocols)})"


def rebound(url):
    """An address of loopback by a name of the other site's that resolves to it."""
    parts = urlsplit(url)
    return f"http://{NAMES[parts.hostname]}:{parts.port}{parts.path}"


@contextmanager
def chromium():
    """A browser that takes the other site's names for loopback, as after DNS rebinding; nobody else was asked."""
    with browser.chromium({name: address for address, name in NAMES.items()}) as found:
        yield found
        assert found.knocks == []
