"""`crypto-lake up` for real, against a stand-in: server, worker, collector, dashboard, Data Docs; killed in turn."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import psutil
import pytest
import requests

from deployments.prefect_api import FINAL
from deployments.prefect_stack import POOL, free_port
from tests.deployments.lake_up import SYMBOLS, Up
from tests.live import wait

BACK_S = 60
POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    """A PostgreSQL server of this module's own; as root it runs as the user postgres, who must own its folder."""
    if not POSTGRES:
        pytest.skip("PostgreSQL is not installed")
    folder, port, bin_ = Path(f"/tmp/lake-postgres-{os.getpid()}"), free_port(), POSTGRES[-1].parent
    folder.mkdir()
    as_user = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
    if as_user:
        shutil.chown(folder, "postgres")

    def run(*words):
        subprocess.run([*as_user, *map(str, words)], check=True, cwd=folder, stdout=subprocess.DEVNULL)

    run(bin_ / "initdb", "-D", folder / "db", "-A", "trust", "-U", "lake")
    run(
        bin_ / "pg_ctl",
        "-D",
        folder / "db",
        "-w",
        "-l",
        folder / "log",
        "-o",
        f"-p {port} -k {folder} -h 127.0.0.1",
        "start",
    )
    yield f"postgresql+asyncpg://lake@127.0.0.1:{port}/postgres"
    run(bin_ / "pg_ctl", "-D", folder / "db", "-m", "immediate", "stop")
    shutil.rmtree(folder)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def up(request, tmp_path_factory):
    database = request.getfixturevalue("postgres") if request.param == "postgres" else None
    found = Up(tmp_path_factory.mktemp(request.param), database)
    try:
        found.start()
        yield found
    finally:
        found.close()


def test_one_command_leads_to_a_running_lake(up):
    assert "everything is up" in up.log.read_text()
    parts = up.parts()
    assert list(parts) == ["server", "worker", "collector", "dashboard", "docs"]
    assert up.api().healthy()
    assert requests.get(parts["dashboard"]["where"], timeout=10).ok
    assert "crypto-lake validate-rules" in requests.get(parts["docs"]["where"], timeout=10).text
    wait(lambda: "crypto_lake" in requests.get(f"{parts['docs']['where']}/metrics", timeout=10).text)
    assert {"crypto-lake zombie runs", "collect-live-always-on"} <= set(up.api().automations())
    shown = up.command("status")
    assert shown.returncode == 0
    assert all(name in shown.stdout for name in parts)
    health = up.command("health", "--json")
    assert json.loads(health.stdout)["collector"]["status"] == "running"


def test_a_second_up_is_kept_out_with_one_line(up):
    second = up.command("up")
    assert second.returncode == 1
    assert "is up already" in second.stderr
    assert "Traceback" not in second.stderr


def test_what_a_foreign_page_asks_is_refused(up):
    """CSRF protection is on, and no other origin may read an answer."""
    url = up.parts()["server"]["where"]
    assert requests.post(f"{url}/api/flow_runs/filter", json={}, timeout=10).status_code == 403
    told = requests.get(f"{url}/api/health", headers={"Origin": "http://evil.example"}, timeout=10).headers
    assert "Access-Control-Allow-Origin" not in told
    docs = up.parts()["docs"]["where"]
    assert requests.get(docs, headers={"Host": "evil.example"}, timeout=10).status_code == 403
    for path in ("/..%2f..%2fconfig.yml", "/validations/../../../config.yml", "/../raw"):
        assert requests.get(docs + path, timeout=10).status_code in (403, 404)


@pytest.mark.parametrize("name", ["collector", "dashboard", "docs", "worker", "server"])
def test_a_part_that_is_killed_is_back_within_a_minute(up, name):
    pid, restarts = up.pid(name), up.parts()[name]["restarts"]
    os.kill(pid, signal.SIGKILL)
    wait(lambda: up.parts()[name]["restarts"] > restarts and up.everything_is_up(), BACK_S, every=0.2)
    assert wait(lambda: up.pid(name) != pid and up.pid(name), BACK_S, every=0.2) != pid
    assert psutil.pid_exists(up.pid(name))


def test_no_run_is_stuck_and_the_collector_is_one(up):
    def alive():
        return [
            run
            for run in up.api().active(POOL)
            if run.infrastructure_pid and psutil.pid_exists(int(run.infrastructure_pid))
        ]

    wait(lambda: len(alive()) == len(up.api().active(POOL)), BACK_S, every=0.5)
    assert [run for run in alive() if int(run.infrastructure_pid) == up.pid("collector")]


def collecting(up):
    """The id of the run that collects."""
    return next((run.id for run in up.api().active(POOL) if run.infrastructure_pid == str(up.pid("collector"))), None)


def test_everything_killed_at_once_as_by_a_reboot_and_nothing_is_stuck(up):
    for process in up.everyone():
        process.kill()
    up.process.wait()
    shown = up.command("status")
    assert shown.returncode == 1
    assert up.command("health").returncode == 2
    up.start()
    test_no_run_is_stuck_and_the_collector_is_one(up)


def test_runs_that_end_while_the_server_is_away_leave_right_data_and_no_slot_taken(up):
    """The server does not answer (it is stopped, as by a full disk), the worker dies, the run's work goes on."""
    before = {run.id for run in up.api().active(POOL)}
    api, server = up.api(), psutil.Process(up.pid("server"))
    run = api.run("transform-hour/local")
    api.wait(run, BACK_S, frozenset({"RUNNING"}))
    servers = [server, *server.children(recursive=True)]
    for process in servers:
        process.suspend()
    os.kill(up.pid("worker"), signal.SIGKILL)
    wait(lambda: up.parts()["server"]["restarts"] > 0 and up.everything_is_up(), 240, every=0.5)
    wait(lambda: api.look(run).type in FINAL, BACK_S, every=0.5)
    wait(lambda: {found.id for found in up.api().active(POOL)} <= before | {collecting(up)}, BACK_S, every=0.5)
    assert api.wait(api.run("transform-hour/local"), BACK_S, FINAL).type == "COMPLETED", "its slot is free"


def test_what_was_missed_meanwhile_is_exactly_what_coverage_says_is_missing(up):
    """Nothing is counted twice, and of each trade that no bar has, the hole is known."""
    up.wait_for_new_parts()
    assert up.command("transform-hour").returncode == 0
    for symbol in SYMBOLS:
        held, missing, traded = up.counted(symbol)
        assert missing > 0, "it was killed, so it missed some"
        assert held + missing == traded


def test_down_stops_everything_with_a_last_heartbeat_even_after_up_itself_was_killed(up):
    """The one on PostgreSQL is killed before, and what it had started goes on; within ten seconds both are gone."""
    killed = up.database is not None
    if killed:
        up.process.kill()
        up.process.wait()
    told = up.command("down")
    assert told.returncode == 0, told.stderr
    assert told.stdout.strip() == ("stopped what one that was killed had left" if killed else "stopped")
    assert up.process.wait(10) == (-signal.SIGKILL if killed else 0)
    assert up.everyone() == []
    heartbeat = json.loads((up.layout.logs / "health" / "heartbeat.json").read_text())
    assert heartbeat["collector"]["status"] == "stopped"
    assert list(up.layout.raw.rglob(".part_*")) == [], "the collector closed its parts"
    assert up.command("down").returncode == 1
