"""`crypto-lake up --demo` for real: all of `up` on a made-up market, with something to look at at once."""

import os
import signal
import subprocess
import sys

import psutil
import pytest
import requests

import lake
from deployments import demo_folder
from deployments.prefect_stack import PROJECT
from lake import locks
from lake.errors import BadInputError, LakeError
from lake.layout import Layout
from tests.live import wait


class UpDemo:
    """A person's shell with `up --demo` in it; a second shell is `command`."""

    def __init__(self, folder):
        self.base, self.log = folder / "demo-data", folder / "up.log"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LAKE_")}
        self.environment = kept | {"PYTHONPATH": str(PROJECT)}
        ports = {f"LAKE_{name}__PORT": "0" for name in ("SERVER", "DASHBOARD", "DOCS")}
        elsewhere = {"LAKE_BASE_PATH": str(folder / "not-here"), "LAKE_BINANCE__WS_URL": "ws://127.0.0.1:1"}
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flows", "up", "--demo"], cwd=folder, stdout=out, stderr=out,
                env=self.environment | ports | elsewhere,
            )  # fmt: skip

    def said(self, line):
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        return line in self.log.read_text()

    def command(self, *words):
        environment = self.environment | {"LAKE_CONFIG": str(self.base / "config.yml")}
        return subprocess.run(
            [sys.executable, "-m", "flows", *words], cwd=self.base.parent, env=environment, capture_output=True,
            text=True, timeout=120,
        )  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    found = UpDemo(tmp_path_factory.mktemp("up-demo"))
    try:
        yield found
    finally:
        found.process.send_signal(signal.SIGINT)
        try:
            found.process.wait(60)
        finally:
            found.process.kill()


def test_a_second_one_is_refused_in_a_line_and_the_first_goes_on(demo):
    wait(lambda: demo.said("starting; Ctrl-C or crypto-lake down"), 60)
    second = demo.command("up", "--demo")
    assert (second.returncode, second.stderr.count("\n")) == (1, 1), second.stderr
    assert f"LAKE_CONFIG={demo.base / 'config.yml'} crypto-lake down stops it" in second.stderr
    assert demo.command("status").returncode == 0


def test_it_says_what_the_second_shell_needs_and_that_everything_is_up(demo):
    wait(lambda: demo.said("everything is up"), 280, every=0.5)
    assert f"export LAKE_CONFIG={demo.base / 'config.yml'}" in demo.log.read_text()


def test_it_says_where_candles_are(demo):
    assert wait(lambda: demo.said("demo: candles: http://127.0.0.1:"), 280, every=0.5)


def test_it_says_where_verdicts_are_and_they_are_good(demo):
    wait(lambda: demo.said("demo: what the rules found in it: http://127.0.0.1:"), 280, every=0.5)
    said = demo.log.read_text()
    assert "not everything is there" not in said
    docs = said.split("demo: what the rules found in it: ")[1].split()[0]
    assert "PASS" in requests.get(docs, timeout=10).text


def test_two_hours_of_candles_run_without_a_hole_into_what_is_collected(demo):
    wait(lambda: demo.said("demo: what the rules found in it: http://127.0.0.1:"), 280, every=0.5)
    assert demo.command("transform-hour").returncode == 0
    for symbol in demo_folder.SYMBOLS:
        bars = lake.bars(symbol, "2025-01-01", "2100-01-01", tf="1s", base=demo.base)
        assert len(bars) > 7200
        assert lake.coverage(symbol, "2025-01-01", "2100-01-01", base=demo.base)["trades_missing"].sum() == 0
    assert not (demo.base.parent / "not-here").exists(), "settings of another lake are left out"


def test_no_page_of_the_dashboard_is_without_its_data(demo):
    wait(lambda: demo.said("demo: what the rules found in it: http://127.0.0.1:"), 280, every=0.5)
    for view in ("bars_1m", "klines_1m", "funding_oi_hourly", "macro_minute", "dxy_synthetic_minute"):
        assert demo.command("sql", "--format", "csv", f"FROM {view} LIMIT 1").stdout.count("\n") == 2, view


def test_down_ends_it_and_the_stand_in_too(demo):
    wait(lambda: demo.said("everything is up"), 280, every=0.5)
    everyone = psutil.Process(demo.process.pid).children(recursive=True)
    assert any("simulator" in " ".join(process.cmdline()) for process in everyone)
    assert demo.command("down").stdout == "stopped\n"
    assert demo.process.wait(60) == 0
    assert psutil.wait_procs(everyone, 10)[1] == []
    assert "not everything is there" not in demo.log.read_text()


def test_a_folder_that_no_demo_made_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(BadInputError, match="no demo made it"):
        demo_folder.clear(tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_demo_that_is_up_is_not_taken_away(tmp_path):
    demo_folder.clear(tmp_path)
    kept = tmp_path / "kept"
    kept.touch()
    with locks.up(Layout(tmp_path)), pytest.raises(LakeError, match="is up"):
        demo_folder.clear(tmp_path)
    assert kept.exists()
    demo_folder.clear(tmp_path)
    assert not kept.exists()
