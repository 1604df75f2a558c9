"""The worker as `up` runs it: neither its server's answers nor its own log end it, as its runs would end with it."""

import asyncio
import os
import subprocess
import sys

import pytest

from deployments import prefect_worker
from deployments.prefect_stack import PROJECT

EVERY_LOOP = """
from deployments import prefect_worker
prefect_worker.outlast_the_server()
from prefect.workers import base, process
from prefect._internal import observers
assert base.critical_service_loop is observers.critical_service_loop is prefect_worker.for_ever
"""


def test_what_a_server_answers_does_not_end_the_worker_that_asks():
    asked = []

    async def workload():
        asked.append(1)
        if len(asked) == 20:
            raise asyncio.CancelledError
        raise RuntimeError("403 Forbidden")

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(prefect_worker.for_ever(workload, interval=0, memory=10, consecutive=3, backoff=4))
    assert len(asked) == 20


def test_a_log_that_cannot_be_written_does_not_end_it_and_one_that_can_be_has_every_line(small_disk):
    log = small_disk / "worker.log"
    (small_disk / "ballast").write_bytes(bytes(1 << 20))
    descriptor = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    out = prefect_worker.lossy(descriptor)
    for _ in range(200):
        print("x" * 10_000, file=out, flush=True)
    assert log.stat().st_size < 1 << 20, "the disk is full"
    (small_disk / "ballast").unlink()
    print("the last line, Zürich", file=out)
    os.close(descriptor)
    assert log.read_text(encoding="utf-8").endswith("the last line, Zürich\n")


def test_every_loop_of_the_worker_is_one_that_lasts_also_for_runs_to_be_cancelled():
    assert subprocess.run([sys.executable, "-c", EVERY_LOOP], cwd=PROJECT).returncode == 0
