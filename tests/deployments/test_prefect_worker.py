"""The worker outlasts its server: Prefect's own ends after a minute and a half, and the collector with it."""

import subprocess
import sys

import httpx
import pytest

from deployments import prefect_worker
from deployments.prefect_stack import PROJECT

EVERY_LOOP = """
from deployments import prefect_worker
prefect_worker.outlast_the_server()
from prefect.workers import base, process
from prefect._internal import observers
assert base.critical_service_loop is observers.critical_service_loop is prefect_worker._lasting
"""


class BackAgainError(Exception):
    """The server has come back."""


@pytest.mark.parametrize("wrong", [httpx.ConnectError("refused"), httpx.HTTPStatusError(
    "403", request=httpx.Request("GET", "http://127.0.0.1"), response=httpx.Response(403))])  # fmt: skip
async def test_a_worker_whose_server_is_away_asks_until_it_is_back(wrong):
    asked = 0

    async def ask():
        nonlocal asked
        asked += 1
        raise wrong if asked < 20 else BackAgainError

    with pytest.raises(BackAgainError):
        await prefect_worker._lasting(ask, 0, backoff=2, printer=lambda *_: None)
    assert asked == 20


def test_every_loop_of_the_worker_is_one_that_lasts():
    subprocess.run([sys.executable, "-c", EVERY_LOOP], cwd=PROJECT, check=True)
