"""What `up --demo` fetches as soon as everything is up, so that no page is empty for the first hours."""

import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from deployments.demo_steps import SYMBOLS, wait_for_parts
from deployments.demo_truth import Truth
from deployments.prefect_api import Api
from deployments.processes import Children
from lake.errors import LakeError
from lake.layout import Layout
from lake.windows import Window, iso

HISTORY, PROVED_AFTER = timedelta(hours=2), timedelta(minutes=10)
"""Until its first trade a recording proves nothing: a pair may be silent for minutes."""
_DAYS, _RUN_S, _STOPPED_S = 2, 300.0, 15.0


class Filler:
    """The market's last two hours, by the flows that would fetch the like in the hours to come.

    Args:
        layout: The demo's lake.
        truth: The stand-in's control port.
        children: Who ends what is started.
        where: The address of each part of `up`, by name.
        over: Set when `up` has ended: then a failure says nothing.
    """

    def __init__(
        self, layout: Layout, truth: Truth, children: Children, where: Mapping[str, str], over: threading.Event
    ) -> None:
        self._layout, self._truth, self._children, self._where, self._over = layout, truth, children, where, over
        self._api = Api(where["server"])

    def run(self) -> None:
        """Do it all, and say what is there; `up` goes on where it fails."""
        try:
            window = self._imported()
            self._flow("transform-hour/local")
            say(f"candles: {self._where['dashboard']}")
            for flow in ("derivatives-hour/local", "backfill-binance/local"):
                self._flow(flow, lookback_days=_DAYS)
            self._flow("macro-minute/local")
            self._flow("validate-rules/local", start=iso(window.start), end=iso(window.end))
            say(f"what the rules found in it: {self._where['docs']}")
        except (LakeError, OSError) as error:
            if not self._over.wait(_STOPPED_S):  # when `up` stops, its server goes first
                say(f"not everything is there: {error}")

    def _imported(self) -> Window:
        """Import a recording made from the stand-in's history, until the collector has what comes after it."""
        wait_for_parts(self._layout)
        now = datetime.now(UTC).replace(microsecond=0)
        window = Window(now - HISTORY - PROVED_AFTER, now)
        recording = self._layout.base / "recordings" / "history.txt"
        self._truth.record(recording, SYMBOLS, window)
        child = self._children.start("import-frames", "-m", "flows", "import-frames", str(recording))
        child.wait_to_end(_RUN_S)
        if child.exit_code:
            raise LakeError(f"import-frames: {child.last_line()} (log: {child.log})")
        return Window((window.start + PROVED_AFTER).replace(second=0), now.replace(second=0))

    def _flow(self, deployment: str, **parameters: object) -> None:
        self._api.wait(self._api.run(deployment, **parameters), _RUN_S, frozenset({"COMPLETED"}))


def say(line: str) -> None:
    """Write a line; the table of `up`, once it is there, has standard output replaced, and shows it above itself."""
    sys.stdout.write(f"demo: {line}\n")
    sys.stdout.flush()
