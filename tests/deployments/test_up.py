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
from tests.browser import MISSING, executable
from tests.deployments import foreign
from tests.deployments.lake_up import SYMBOLS, Up
from tests.live import wait

pytestmark = pytest.mark.slow(minutes=8)
BACK_S = 60
LOGIN, PASSWORD = "admin:l0gin-of-the-server", "p4ssw0rd-of-the-database"
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
    yield f"postgresql+asyncpg://lake:{PASSWORD}@127.0.0.1:{port}/postgres"
    run(bin_ / "pg_ctl", "-D", folder / "db", "-m", "immediate", "stop")
    shutil.rmtree(folder)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def up(request, tmp_path_factory):
    """As shipped; and with a database of its own, for others to see, which needs a login."""
    more = {}
    if request.param == "postgres":
        more = {"database_url": request.getfixturevalue("postgres"), "login": LOGIN, "host": "127.0.0.2"}
    found = Up(tmp_path_factory.mktemp(request.param), **more)
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


@pytest.mark.skipif(not executable(), reason=MISSING)
def test_a_page_of_another_site_gets_nothing_and_the_own_pages_all_they_need(up):
    """A real browser. The other site's own name resolves to 127.0.0.1 too, as after DNS rebinding."""
    server, dashboard, docs = (up.parts()[name]["where"] for name in ("server", "dashboard", "docs"))
    order = {"method": "POST", "mode": "no-cors", "body": '{"name": "evil"}', "headers": {"Content-Type": "text/plain"}}
    order_json = order | {"mode": "cors", "headers": {"Content-Type": "application/json"}}
    tries = {
        "token": foreign.reads(f"{server}/api/csrf-token?client=evil"),
        "flow": foreign.reads(f"{server}/api/flows/", order_json),
        "simple flow": foreign.reads(f"{server}/api/flows/", order),
        "events": foreign.opens(f"{server}/api/events/out", "prefect"),
        "event": foreign.opens(f"{server}/api/events/in", "prefect"),
        "logs": foreign.opens(f"{server}/api/logs/out", "prefect"),
        "dashboard": foreign.reads(dashboard), "its stream": foreign.opens(f"{dashboard}/_stcore/stream", "streamlit"),
        "docs": foreign.reads(docs), "metrics": foreign.reads(f"{docs}/metrics"),
    }  # fmt: skip
    with foreign.site() as site, foreign.chromium() as chromium:
        found = foreign.asked(chromium.open(site), tries)
        assert set(found.values()) <= {"refused", foreign.OPAQUE}
        for address in (f"{server}/api/csrf-token", dashboard, docs, f"{docs}/metrics"):
            shown = chromium.open(foreign.rebound(address)).value("document.body.innerText")
            assert foreign.REFUSED.search(shown), (address, shown)
        own = chromium.open(f"{server}/")
        wait(lambda: ("Login" if up.login else "Dashboard") in own.value("document.body.innerText"), 60)
        streams = foreign.asked(own, {name: tries[name] for name in ("events", "logs")})
        assert set(streams.values()) == {"refused" if up.login else "open"}
        own = chromium.open(dashboard)
        wait(lambda: "SOLUSDT" in own.value("document.body.innerText"), 60)
    assert requests.post(f"{server}/api/flow_runs/filter", json={}, timeout=10).status_code in (401, 403)
    assert "evil" not in [flow["name"] for flow in up.api()._send("POST", "flows/filter", {})]


def test_where_the_server_is_for_others_to_see_nobody_comes_in_without_the_login(up):
    server = up.parts()["server"]["where"]
    assert ("127.0.0.2" in server) == bool(up.login)
    wanted = 401 if up.login else 200
    for path in ("admin/version", "admin/settings", "csrf-token?client=x"):
        for auth in (None, ("admin", "admin"), ("", "")):
            answer = requests.get(f"{server}/api/{path}", auth=auth, timeout=10)
            assert answer.status_code == wanted, path


def test_no_secret_is_said_to_anybody(up):
    """Not in a process list, a file of the lake, or what a command or the server's own settings tell."""
    told = [" ".join(process.cmdline()) for process in up.everyone()]
    told += [up.command(*words).stdout for words in (("doctor", "--json"), ("status", "--json"), ("health", "--json"))]
    settings = requests.get(f"{up.api().url}/api/admin/settings", auth=tuple((up.login or ":").split(":")), timeout=10)
    told += [settings.text, up.log.read_text()]
    assert all("server" in one for one in told[-5:])
    told += [path.read_bytes().decode("latin-1") for path in up.layout.base.rglob("*") if path.is_file()]
    assert not [one[:200] for one in told if PASSWORD in one or LOGIN.partition(":")[2] in one]


def test_no_address_of_the_data_docs_leads_out_of_them(up):
    docs = up.parts()["docs"]["where"]
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
    killed = up.login is not None
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


def test_what_it_has_written_only_its_owner_may_read(up):
    """Data, logs, locks, Prefect's home and its database."""
    found = [path for path in up.layout.base.rglob("*") if not path.is_symlink()]
    assert {"raw", "logs", "locks", ".prefect"} <= {path.name for path in found}
    assert [path for path in [up.layout.base, *found] if path.stat().st_mode & 0o077] == []
