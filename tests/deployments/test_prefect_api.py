"""What a server's answer means: that a deployment is not there is no error, and no error means that it is not there."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from deployments.prefect_api import Api
from lake.errors import LakeError


@contextmanager
def server(status):
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b'{"id": "1"}')

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Answers) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{found.server_port}"
        found.shutdown()


@pytest.mark.parametrize(("status", "there"), [(200, True), (404, False)])
def test_a_deployment_is_there_or_not(status, there):
    with server(status) as url:
        assert Api(url).has_deployment("collect-live/local") is there


def test_a_server_that_fails_has_lost_no_deployment_whatever_its_address_looks_like():
    with server(500) as url, pytest.raises(LakeError):
        Api(f"{url}/404").has_deployment("collect-live/local")
