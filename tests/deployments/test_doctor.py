"""The doctor as a whole: ports, Prefect, the network away; and `up`, which says the same before it starts."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from deployments import doctor, doctor_prefect, ports
from deployments.prefect_api import Active
from lake import doctor_install, doctor_net, locks, settings
from lake.doctor import worst
from lake.doctor_install import Facts
from lake.errors import BadInputError, LakeError
from lake.windows import SECOND_US
from simulator import Simulator
from tests.shell import crypto_lake

MOST_S = 45.0
"""Seconds in which the doctor ends on a busy machine though a host never answers; on an idle one it takes five."""


@pytest.fixture(autouse=True)
def _nothing_but_loopback_is_asked(monkeypatch):
    for name in ("REST", "FUTURES", "ARCHIVE", "WS"):
        monkeypatch.setenv(f"LAKE_BINANCE__{name}_URL", f"{'ws' if name == 'WS' else 'http'}://127.0.0.1:9")
    monkeypatch.setenv("LAKE_MACRO_MINUTE__YAHOO_URL", "http://127.0.0.1:9")


@pytest.fixture
def command(layout, tmp_path):
    """Run crypto-lake with a config.yml of these lines, nothing of which is reachable unless it says so."""

    def run(*words, config="", **environment):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            closed = probe.getsockname()[1]
        hosts = dict.fromkeys(("rest_url", "futures_url", "archive_url"), f"http://127.0.0.1:{closed}")
        base = f"base_path: {layout.base}\n" if "base_path" not in config else ""
        ports_ = "" if "server:" in config else "server: {port: 0}\ndashboard: {port: 0}\ndocs: {port: 0}\n"
        binance = (
            "" if "binance:" in config else f"binance: {json.dumps(hosts | {'ws_url': f'ws://127.0.0.1:{closed}'})}\n"
        )
        yahoo = "" if "macro_minute:" in config else f"macro_minute: {{yahoo_url: 'http://127.0.0.1:{closed}'}}\n"
        (tmp_path / "config.yml").write_text(base + ports_ + binance + yahoo + config)
        own = {name: value for name, value in os.environ.items() if not name.startswith(("LAKE_", "PREFECT_"))}
        return crypto_lake(*words, env=own | {"LAKE_CONFIG": str(tmp_path / "config.yml")} | environment)

    return run


def one_line(done, *words, code):
    assert done.returncode == code, done
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert all(word in lines[0] for word in words), lines[0]
    return True


# --- the whole


def test_with_no_network_there_is_a_line_for_each(command, layout):
    layout.base.mkdir(parents=True)
    done = command("doctor", "--json")
    told = json.loads(done.stdout)
    states = {one["name"]: one["state"] for one in told["findings"]}
    assert (done.returncode, told["state"]) == (1, "fail")
    assert (states["REST"], states["WebSocket"], states["Yahoo"], states["clock"]) == ("fail", "fail", "warn", "warn")
    assert (states["base_path"], states["Python"], states["collector"]) == ("ok", "ok", "warn")
    assert all(one["remedy"] for one in told["findings"] if one["state"] != "ok")
    assert done.stderr == ""
    plain = command("doctor").stdout.splitlines()
    assert len(plain) == len(told["findings"]), "a line each, also where it is long"
    assert {line.split()[0] for line in plain} == {"ok", "warn", "fail"}
    assert "\x1b" not in "".join(plain)


def test_hosts_that_accept_and_never_answer_keep_nobody_waiting(monkeypatch, layout):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        for name, value in {"REST": url, "WS": url.replace("http", "ws"), "FUTURES": url, "ARCHIVE": url}.items():
            monkeypatch.setenv(f"LAKE_BINANCE__{name}_URL", value)
        monkeypatch.setenv("LAKE_MACRO_MINUTE__YAHOO_URL", url)
        monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))
        began = time.monotonic()
        found = {one.name: one for one in doctor.run()}
        assert time.monotonic() - began < MOST_S
    assert (found["REST"].state, found["WebSocket"].state) == ("fail", "fail")


def test_a_config_that_is_wrong_is_a_line_and_the_rest_is_looked_at(command):
    done = command("doctor", config="colector: {}\n")
    assert done.returncode == 1
    assert done.stdout.startswith("fail config")
    assert "colector: no such key" in done.stdout.splitlines()[0]
    assert "Python" in done.stdout


def test_everything_in_order_is_ok(monkeypatch, layout):
    layout.base.mkdir(parents=True, mode=0o700)
    with Simulator(symbols=["SOLUSDT"], seed=1, rate=20) as sim:
        for name in ("REST", "WS"):
            monkeypatch.setenv(f"LAKE_BINANCE__{name}_URL", getattr(sim, f"{name.lower()}_url"))
        monkeypatch.setenv("LAKE_SYMBOLS", '["SOLUSDT"]')
        monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))
        found = {one.name: one for one in doctor.run()}
    for name in ("REST", "clock", "WebSocket", "clock by trades", "base_path", "privacy", "leftovers", "quarantine"):
        assert found[name].state == "ok", found[name]
    assert "trades are" in found["clock by trades"].said


def test_a_clock_two_minutes_off_is_told_by_doctor_and_by_up(monkeypatch):
    with Simulator(["SOLUSDT"], 1, rate=20, clock=lambda: time.time_ns() // 1000 - 120 * SECOND_US) as sim:
        monkeypatch.setenv("LAKE_BINANCE__REST_URL", sim.rest_url)
        monkeypatch.setenv("LAKE_BINANCE__WS_URL", sim.ws_url)
        monkeypatch.setenv("LAKE_SYMBOLS", '["SOLUSDT"]')
        lines = doctor.outside(settings.load())
    assert any(line.startswith("clock: wrong: 120 s ahead of the exchange's") for line in lines), lines
    assert any(line.startswith("clock by trades: wrong: 120 s ahead of trades' times") for line in lines), lines


HOSTS = ("BINANCE__REST_URL", "BINANCE__FUTURES_URL", "BINANCE__ARCHIVE_URL", "MACRO_MINUTE__YAHOO_URL")


def test_what_passes_by_itself_is_told_by_up_and_ends_nothing_and_where_no_host_answers_by_one_line(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        closed = f"127.0.0.1:{probe.getsockname()[1]}"
    for name in HOSTS:
        monkeypatch.setenv(f"LAKE_{name}", f"http://{closed}")
    monkeypatch.setenv("LAKE_BINANCE__WS_URL", f"ws://{closed}")
    assert doctor.outside(settings.load()) == [doctor.NO_HOST]
    with Simulator(["SOLUSDT"], 1) as sim:
        monkeypatch.setenv("LAKE_BINANCE__REST_URL", sim.rest_url)
        lines = doctor.outside(settings.load())
    assert {line.split(":")[0] for line in lines} == {"WebSocket", "futures", "archive", "Yahoo"}


@pytest.mark.parametrize(
    ("frame", "old"),
    [('{"data":{"T":1000}}', [9.0]), (b'{"data":{"T":1760918400000000}}', [10 - 1760918400.0]), ("{}", []), ("x", [])],
)
def test_how_old_a_trade_is(frame, old):
    assert doctor.delay(frame, 10.0) == old


# --- ports


def test_a_port_is_free_or_taken_by_somebody_who_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        found = ports.port("docs", "127.0.0.1", number, lambda _: False)
        assert found.state == "fail"
        assert f"{number} is taken by" in found.said
        assert f"(process {os.getpid()})" in found.said
        assert "docs.port" in found.remedy
    assert ports.port("docs", "127.0.0.1", number, lambda _: False).said == f"{number} is free"
    assert ports.port("docs", "127.0.0.1", 0, lambda _: False).state == "ok"
    assert ports.port("server", "192.0.2.1", 4200, lambda _: False).state == "fail", "an address of somebody else"


@pytest.mark.parametrize(
    ("part", "path", "body", "kind"),
    [
        ("server", "/api/health", b"true", "application/json"), ("dashboard", "/_stcore/health", b"ok", "text/html"),
        ("docs", "/metrics", b"", "text/plain; version=0.0.4; charset=utf-8"),
    ],
)  # fmt: skip
def test_a_port_that_a_part_of_the_lake_has_is_its_own_and_any_other_web_server_is_not(part, path, body, kind):
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            mine = self.path == path and self.server.mine
            self.send_header("Content-Type", kind if mine else "text/html")
            self.end_headers()
            self.wfile.write(body if mine else b"<p>It works!")

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ours = {"server": ports._is_server, "dashboard": ports._is_dashboard, "docs": ports._is_docs}[part]
        for server.mine, state in ((True, "ok"), (False, "fail")):
            assert ports.port(part, "127.0.0.1", server.server_port, ours).state == state
        server.shutdown()


# --- Prefect


class Server:
    """What a server says."""

    url = "http://127.0.0.1:1"

    def __init__(self, workers=(), runs=(), error=None):
        self._workers, self._runs, self._error = set(workers), list(runs), error

    def healthy(self):
        return self._error != "away"

    def workers(self, pool):
        if self._error:
            raise LakeError(self._error)
        return self._workers

    def active(self, pool):
        return self._runs


@pytest.fixture
def asked(monkeypatch, layout):
    def ask(server):
        monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))
        monkeypatch.setattr(doctor_prefect.system, "api", lambda *_: server)
        found = doctor_prefect.all_of(settings.load(), datetime.now(UTC))
        return {one.name: one for one in found}

    return ask


def test_prefect_is_looked_at_part_by_part(asked):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    now = datetime.now(UTC)
    stuck = Active("1", "brave-owl", "", str(ended.pid), now - timedelta(hours=1), now)
    found = asked(Server({"local-x"}, [stuck]))
    assert [found[name].state for name in ("Prefect server", "pool", "worker")] == ["ok"] * 3
    assert "brave-owl" in found["stuck runs"].said
    assert asked(Server({"local-x"}))["stuck runs"].state == "ok"
    assert asked(Server())["worker"].state == "warn"
    assert asked(Server(error="404 Client Error"))["pool"].state == "warn"
    assert asked(Server(error="401 Client Error"))["Prefect server"].state == "fail"


def test_what_is_away_is_a_failure_only_while_up_ought_to_keep_it(asked, layout):
    assert {one.state for one in asked(Server(error="away")).values()} == {"warn"}
    assert not layout.base.exists(), "nothing is made by looking"
    with locks.up(layout):
        assert {one.state for one in asked(Server(error="away")).values()} == {"fail"}


# --- up says it in one line


def test_up_says_that_a_port_is_taken(command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        done = command("up", config=f"server: {{port: {number}}}\ndashboard: {{port: 0}}\ndocs: {{port: 0}}\n")
    assert one_line(done, "port server", f"{number} is taken by", "server.port in config.yml", code=2)


@pytest.mark.parametrize("base", ["/proc/lake", "{file}", "{file}/lake"])
def test_up_says_that_the_folder_cannot_be_written(command, tmp_path, base):
    (tmp_path / "file").touch()
    done = command("up", config=f"base_path: {base.format(file=tmp_path / 'file')}\n")
    assert one_line(done, "base_path", code=2)


def test_up_says_that_the_disk_is_full(command, small_disk):
    (small_disk / "ballast").write_bytes(bytes(1 << 20))
    done = command("up", config=f"base_path: {small_disk}\n")
    assert one_line(done, "disk full", "No space left on device", "crypto-lake disk", code=1)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (Facts("prefect\n", {}, []), "line 1 is no pin"),
        (Facts(None, {}, []), "requirements.lock"),
        (Facts("sqlalchemy==2.0.1", {"sqlalchemy": "2.1.0"}, ["sqlalchemy<2.1"]), "sqlalchemy 2.1.0 .needed: <2.1"),
    ],
)
def test_up_refuses_a_broken_lock(monkeypatch, layout, facts, words):
    monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))
    monkeypatch.setattr(doctor_install, "facts", lambda: facts)
    with pytest.raises(LakeError, match=words) as error:
        doctor.before_up(settings.load())
    assert not isinstance(error.value, BadInputError)


def test_up_refuses_an_old_python(monkeypatch, layout):
    monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))
    monkeypatch.setattr(sys, "version_info", (3, 10, 4, "final", 0))
    with pytest.raises(LakeError, match=r"Python: 3\.10\.4 .*too old"):
        doctor.before_up(settings.load())


def test_up_tells_what_is_only_a_warning_and_starts(monkeypatch):
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        monkeypatch.setenv("LAKE_BASE_PATH", name)
        for part in ("SERVER", "DASHBOARD", "DOCS"):
            monkeypatch.setenv(f"LAKE_{part}__PORT", "0")
        lines = doctor.before_up(settings.load())
    assert [line for line in lines if line.startswith("privacy:")] == [
        f"privacy: others can read it (mode 755): chmod 700 '{name}'"
    ]


def test_every_check_that_up_may_refuse_by_is_one_there_is(monkeypatch, layout):
    monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))
    names = {one.name for one in doctor.run()} | {"disk full"}
    assert set(doctor._REFUSED) <= names
    assert worst([]) == "ok"
    assert doctor_net.TIMEOUT_S * 2 < MOST_S
