"""`crypto-lake up` for real, against a stand-in: server, worker, collector, dashboard, Data Docs; killed in turn."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import requests

import lake
from deployments.demo_truth import Truth
from deployments.prefect_api import Api
from deployments.prefect_stack import POOL, PROJECT, free_port
from lake import signs
from lake.layout import Layout
from lake.windows import Window, moment
from tests.live import wait

SYMBOLS = ("SOLUSDT", "ADAUSDT")
BACK_S = 60
POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


class Up:
    """The lake that is up, as a person at another shell sees it."""

    def __init__(self, folder, database):
        self.folder, self.layout = folder, Layout(folder / "lake")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("LAKE_")}
        self.environment["LAKE_CONFIG"] = str(folder / "config.yml")
        if database:
            self.environment["LAKE_SERVER__DATABASE_URL"] = database
        self.log, self.process = folder / "up.log", None
        ready = folder / "stand-in.json"
        ports = ("--ws-port", "0", "--rest-port", "0", "--control-port", "0", "--ready-file", str(ready))
        with (folder / "stand-in.log").open("wb") as out:
            self.stand_in = subprocess.Popen(
                [sys.executable, "-m", "simulator", "--symbols", ",".join(SYMBOLS), "--rate", "5", *ports],
                cwd=PROJECT, stdout=out, stderr=out,
            )  # fmt: skip
        wait(ready.exists)
        urls = json.loads(ready.read_text())
        self.truth = Truth(urls["control_url"])
        hosts = "".join(f"  {name}: {urls[name]}\n" for name in ("ws_url", "rest_url", "futures_url", "archive_url"))
        (folder / "config.yml").write_text(
            f"base_path: ./lake\nsymbols: [{', '.join(SYMBOLS)}]\nbinance:\n{hosts}collector: {{rotate_seconds: 2}}\n"
            f"macro_minute: {{yahoo_url: '{urls['yahoo_url']}'}}\n"
            f"server: {{port: {free_port()}}}\ndashboard: {{port: {free_port()}}}\ndocs: {{port: {free_port()}}}\n"
        )

    def command(self, *words):
        return subprocess.run(
            [sys.executable, "-m", "flows", *words], cwd=PROJECT, env=self.environment, capture_output=True, text=True,
            timeout=120,
        )  # fmt: skip

    def start(self):
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flows", "up"], cwd=PROJECT, env=self.environment, stdout=out, stderr=out
            )
        wait(self.everything_is_up, 180, every=0.5)

    def parts(self):
        told = json.loads((self.layout.logs / "up.json").read_text())
        return {part["name"]: part for part in told["parts"] if told["pid"] == self.process.pid}

    def everything_is_up(self):
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        try:
            found = self.parts()
        except (OSError, ValueError):
            return False
        return bool(found) and all(part["state"] in ("running", "reused") for part in found.values())

    def api(self):
        return Api(self.parts()["server"]["where"])

    def pid(self, name):
        if name == "collector":
            sign = signs.read_one(self.layout, "collector")
            return sign.process.pid
        return self.parts()[name]["pid"]

    def everyone(self):
        """Every process of this lake but the test's own."""
        found = []
        for process in psutil.process_iter():
            try:
                mine = process.environ().get("LAKE_BASE_PATH") == str(self.layout.base)
                if mine or process.pid == self.process.pid:
                    found.append(process)
            except (psutil.Error, OSError):
                continue
        return [process for process in found if process.status() != psutil.STATUS_ZOMBIE]

    def close(self):
        for process in self.everyone() if self.process else ():
            process.kill()
        self.stand_in.kill()
        self.stand_in.wait()


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
    # HEALTH
    # HEALTH


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
    wait(lambda: up.pid(name) != pid, BACK_S, every=0.2)


def test_no_run_is_stuck_and_the_collector_is_one(up):
    def alive():
        return [
            run
            for run in up.api().active(POOL)
            if run.infrastructure_pid and psutil.pid_exists(int(run.infrastructure_pid))
        ]

    wait(lambda: len(alive()) == len(up.api().active(POOL)), BACK_S, every=0.5)
    assert [run for run in alive() if int(run.infrastructure_pid) == up.pid("collector")]


def test_everything_killed_at_once_as_by_a_reboot_and_nothing_is_stuck(up):
    for process in up.everyone():
        process.kill()
    up.process.wait()
    shown = up.command("status")
    assert shown.returncode == 1
    # HEALTH
    up.start()
    test_no_run_is_stuck_and_the_collector_is_one(up)


def test_what_was_missed_meanwhile_is_exactly_what_coverage_says_is_missing(up):
    """Nothing is counted twice, and of each trade that no bar has, the hole is known."""
    before = up.layout.raw.rglob("part_*.jsonl")
    newest = max(path.stat().st_mtime_ns for path in before)
    wait(lambda: max(path.stat().st_mtime_ns for path in up.layout.raw.rglob("part_*.jsonl")) > newest)
    assert up.command("transform-hour").returncode == 0
    for symbol in SYMBOLS:
        bars = lake.bars(symbol, "2025-01-01", "2100-01-01", tf="1s", base=up.layout.base)
        first, last = int(bars["first_trade_id"].min()), int(bars["last_trade_id"].max())
        ends = bars.loc[bars["trade_count"] > 0, "window_start"].iloc[[0, -1]]
        window = Window(ends.iloc[0].to_pydatetime(), moment(int(ends.iloc[1].timestamp() * 1e6) + 1_000_000))
        traded = [trade["id"] for trade in up.truth.trades(symbol, window) if first <= trade["id"] <= last]
        assert traded == list(range(first, last + 1)), "the stand-in numbers its trades without a hole"
        held = int(bars["trade_count"].sum())
        missing = int(lake.coverage(symbol, window.start, window.end, base=up.layout.base)["trades_missing"].sum())
        assert missing > 0, "it was killed, so it missed some"
        assert held + missing == len(traded)


def test_down_stops_everything_within_ten_seconds_with_a_last_heartbeat(up):
    told = up.command("down")
    assert told.returncode == 0, told.stderr
    assert up.process.wait(10) == 0
    assert up.everyone() == []
    heartbeat = json.loads((up.layout.logs / "health" / "heartbeat.json").read_text())
    assert heartbeat["collector"]["status"] == "stopped"
    assert list(up.layout.raw.rglob(".part_*")) == [], "the collector closed its parts"
    assert up.command("down").returncode == 1
