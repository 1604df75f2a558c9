"""A lake that `crypto-lake up` keeps running against a stand-in, as a person at another shell sees it."""

import json
import os
import subprocess
import sys

import psutil

import lake
from deployments.demo_truth import Truth
from deployments.prefect_api import Api
from deployments.prefect_stack import PROJECT, free_port
from lake import signs
from lake.layout import Layout
from lake.windows import Window, moment
from tests.live import wait

SYMBOLS = ("SOLUSDT", "ADAUSDT")


class Up:
    """The lake that is up, as a person at another shell sees it."""

    def __init__(self, folder, database):
        self.folder, self.layout, self.database = folder, Layout(folder / "lake"), database
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

    def wait_for_new_parts(self):
        """Until parts are closed that were begun after now."""
        parts = set(self.layout.raw.rglob("part_*.jsonl"))
        wait(lambda: len(set(self.layout.raw.rglob("part_*.jsonl")) - parts) >= 2 * len(SYMBOLS))

    def counted(self, symbol):
        """Trades held, trades missing as coverage says, trades that were made from the first held to the last."""
        bars = lake.bars(symbol, "2025-01-01", "2100-01-01", tf="1s", base=self.layout.base)
        first, last = int(bars["first_trade_id"].min()), int(bars["last_trade_id"].max())
        ends = bars.loc[bars["trade_count"] > 0, "window_start"].iloc[[0, -1]]
        window = Window(ends.iloc[0].to_pydatetime(), moment(int(ends.iloc[1].timestamp() * 1e6) + 1_000_000))
        traded = [trade["id"] for trade in self.truth.trades(symbol, window) if first <= trade["id"] <= last]
        assert traded == list(range(first, last + 1)), "the stand-in numbers its trades without a hole"
        missing = lake.coverage(symbol, window.start, window.end, base=self.layout.base)["trades_missing"].sum()
        return int(bars["trade_count"].sum()), int(missing), len(traded)
