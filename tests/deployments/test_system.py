"""Which processes and addresses `up` takes for its lake's own."""

import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from deployments import prefect_stack, system
from deployments.prefect_api import Api
from lake.sections import Server
from tests.live import wait


@contextmanager
def worker_of(url):
    """A process that reads as a worker of this machine's name, and works for the server of an address."""
    command = [sys.executable, "-c", "input()", *prefect_stack.worker_arguments(system.worker_name())[1:]]
    environment = os.environ | {"PREFECT_API_URL": f"{url}/api"}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_worker_of_another_lake_is_left_alone_and_one_of_this_lake_is_taken_over():
    """Taken for the own one, it would be ended as silent: it never polls this server."""
    mine, other = (f"http://127.0.0.1:{prefect_stack.free_port()}" for _ in range(2))
    with worker_of(other):
        assert wait(lambda: system.worker_process(Api(other)))
        assert system.worker_process(Api(mine)) is None
        with worker_of(mine) as process:
            assert wait(lambda: system.worker_process(Api(mine))).pid == process.pid


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:4200"), ("localhost", "http://localhost:4200"), ("::1", "http://[::1]:4200"),
        ("0.0.0.0", "http://127.0.0.1:4200"), ("::", "http://[::1]:4200"), ("192.168.0.7", "http://192.168.0.7:4200"),
        ("fd00::7", "http://[fd00::7]:4200"), ("nas.lan", "http://nas.lan:4200"),
    ],
)  # fmt: skip
def test_wherever_the_server_listens_this_machine_finds_it(host, url):
    assert Server(host=host, port=4200, auth_string="admin:secret").url == url
