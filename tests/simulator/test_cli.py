"""The command: banner, ready file, signals, ports in use."""

import json
import os
import signal
import socket
import subprocess
import sys

import pytest
import requests

from tests.simulator.conftest import until


def run(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "simulator", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "COLUMNS": "120"},
    )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_tells_its_addresses_and_ends_cleanly_on_a_signal(tmp_path, number):
    ready = tmp_path / "ready.json"
    ports = [f"--{name}-port=0" for name in ("ws", "rest", "control")]
    process = run("--symbols", "solusdt", *ports, "--ready-file", str(ready))
    try:
        until(ready.exists, 30)
        urls = json.loads(ready.read_text())
        assert requests.get(urls["rest_url"] + "/api/v3/ping", timeout=5).json() == {}
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
    finally:
        process.kill()
    assert (process.returncode, err) == (0, "")
    assert f"LAKE_BINANCE__WS_URL={urls['ws_url']}" in out
    assert f"LAKE_BINANCE__REST_URL={urls['rest_url']}" in out
    assert not ready.exists()


def test_a_port_in_use_is_one_line_with_port_and_remedy_and_exit_code_2():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = run("--ws-port=0", f"--rest-port={port}", "--control-port=0")
        _, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert err == f"simulate: port {port} (rest-port) is in use: stop what listens there, or give --rest-port 0\n"


@pytest.mark.parametrize("wrong", [["--symbols", ","], ["--rate", "0"], ["--start", "soon"], ["--replay", "/no/such"]])
def test_what_cannot_be_is_one_line_and_exit_code_2(wrong):
    process = run("--ws-port=0", "--rest-port=0", "--control-port=0", *wrong)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert err.startswith("simulate: ")
    assert err.count("\n") == 1
