"""A real collector in a process of its own, for tests, and the condition to wait for."""

import json
import os
import signal
import subprocess
import sys
import time


def wait(condition, seconds=60.0, every=0.05):
    """Return what the condition gives as soon as it gives something; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        if found := condition():
            return found
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {condition}"
        time.sleep(every)


class Collector:
    """``crypto-lake collect-live`` against a stand-in, writing into a lake."""

    def __init__(self, layout, sim, *args, rotate=2, **env):
        self.layout = layout
        settings = {
            "LAKE_BASE_PATH": str(layout.base), "LAKE_BINANCE__WS_URL": sim.ws_url,
            "LAKE_BINANCE__REST_URL": sim.rest_url,
            "LAKE_COLLECTOR__ROTATE_SECONDS": str(rotate), "LAKE_COLLECTOR__FLUSH_SECONDS": "0.1",
            "WEBSOCKETS_BACKOFF_INITIAL_DELAY": "0.1", "WEBSOCKETS_BACKOFF_MIN_DELAY": "0.1",
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-m", "flows", "collect-live", *args],
            env={**os.environ, **settings, **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def stop(self, number=signal.SIGTERM):
        """Send a signal and return exit code and output."""
        self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=30)
        return self.process.returncode, output

    def bytes(self):
        """How much is in raw/, open parts too."""
        return sum(path.stat().st_size for path in self.layout.raw.rglob("*part_*") if path.exists())


def lines(layout, symbol):
    """Every raw line of a symbol that is whole JSON."""
    found = []
    for path in sorted((layout.raw / symbol).rglob("part_*.jsonl")):
        for line in path.read_bytes().splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
    return found


def truth(sim, symbol, first, last):
    """The stand-in's own trades from id ``first`` to ``last``, as raw lines."""
    return [
        {
            "stream": "trade", "trade_id": t.id, "ts_event": t.time_us, "price": t.price, "qty": t.qty,
            "side": "sell" if t.buyer_is_maker else "buy",
        }
        for t in sim.trades(symbol)[-100_000:]
        if first <= t.id <= last
    ]  # fmt: skip
