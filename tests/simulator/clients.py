"""Clients of a running stand-in: orders of faults, streams, REST."""

import contextlib
import functools
import itertools
import json

import requests
from websockets.sync import client

connect = functools.partial(client.connect, max_queue=None)  # a full queue makes websockets wait 10 s on closing


def order(sim, kind, **rest):
    answer = requests.post(f"{sim.control_url}/faults", json={"kind": kind, **rest}, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def hits(sim, ident):
    return next(f["hits"] for f in requests.get(f"{sim.control_url}/faults", timeout=10).json() if f["id"] == ident)


@contextlib.contextmanager
def listening(sim, streams="solusdt@trade", combined=False):
    with connect(
        f"{sim.ws_url}/stream?streams={streams}" if combined else f"{sim.ws_url}/ws/{streams}", max_queue=None
    ) as ws:
        json.loads(ws.recv(timeout=10))
        yield ws


def raw(ws, count):
    return [ws.recv(timeout=10) for _ in range(count)]


def ids(ws, count):
    return [json.loads(text)["t"] for text in raw(ws, count)]


def steps(found):
    return [b - a for a, b in itertools.pairwise(found)]


def get(sim, path="time", **query):
    return requests.get(f"{sim.rest_url}/api/v3/{path}", params=query, timeout=10)
