"""Who is told: a receiver of messages on loopback, and the blocks of Prefect's that send them there."""

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

BLOCKS = """
import sys
from prefect.blocks.notifications import CustomWebhookNotificationBlock, SlackWebhook
from prefect.blocks.webhook import Webhook
place = sys.argv[1]
CustomWebhookNotificationBlock(
    name="alerts", url=f"http://{place}/", json_data={"text": "{{subject}} / {{body}}", "key": "{{key}}"},
    secrets={"key": "k3y-of-the-receiver"},
).save("alerts")
SlackWebhook(url=f"json://{place}/").save("alerts")
Webhook(url=f"http://{place}/").save("alerts")
"""
"""Makes a block of each of three types, as a person does in the UI. Slack's own address cannot be one of loopback; the
block takes Apprise's of JSON over HTTP too, and sends it the same way."""


@contextmanager
def receiver():
    """A server that answers 200; gives its place, and the messages that it was sent."""
    told = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}", told
        server.shutdown()
