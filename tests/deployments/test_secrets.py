"""Secrets of a real server that cannot reach its database: not in its command, its log, or what `up` says of it."""

import psutil
import pytest

from deployments import prefect_stack, system
from deployments.processes import Children
from lake import redaction, settings

PASSWORD, LOGIN = "p4ssw0rd-of-the-database", "admin:l0gin-of-the-server"


@pytest.mark.slow
def test_a_server_that_cannot_reach_its_database_gives_no_secret_away(layout, monkeypatch):
    closed = prefect_stack.free_port()
    monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))
    monkeypatch.setenv("LAKE_SERVER__DATABASE_URL", f"postgresql+asyncpg://lake:{PASSWORD}@127.0.0.1:{closed}/x")
    monkeypatch.setenv("LAKE_SERVER__AUTH_STRING", LOGIN)
    monkeypatch.setenv("LAKE_SERVER__PORT", str(prefect_stack.free_port()))
    found = settings.load()
    with Children(system.environment(found), layout.logs, prefect_stack.PROJECT, redaction.secrets(found)) as children:
        server = children.start("server", *prefect_stack.server_arguments("127.0.0.1", found.server.port))
        command = " ".join(psutil.Process(server.pid).cmdline())
        server.wait_to_end(90)
        said, log = server.last_line(), server.log.read_text()
    assert "deployments.prefect_server" in command
    assert log
    for text in (command, said, log):
        assert PASSWORD not in text
        assert LOGIN.partition(":")[2] not in text


def test_what_a_process_said_last_is_told_without_them(tmp_path):
    script = f"print('x' * 100_000); print('cannot log in with {PASSWORD}')"
    with Children({}, tmp_path, tmp_path, (PASSWORD,)) as children:
        child = children.start("one", "-c", script)
        child.wait_to_end(30)
        assert child.last_line() == "cannot log in with ***"
