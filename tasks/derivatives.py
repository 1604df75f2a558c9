"""Tasks around USD-M perpetuals: their fundings and open interest."""

from datetime import datetime

from lake import derivatives
from lake.derivatives import Collected
from lake.layout import Layout
from lake.progress import Progress
from lake.sections import Binance
from lake.web import RestrictedError
from lake.windows import Window
from tasks.runs import lake_task, many

NOT_SERVED = "USD-M futures are not served from here (HTTP 451): nothing collected"
"""What is said, once, in a place that the exchange does not serve."""


@lake_task("fetch derivatives of {symbol}", retries=1)
def fetch_derivatives(
    layout: Layout, hosts: Binance, symbol: str, window: Window, now: datetime, compression: str, progress: Progress
) -> Collected:  # fmt: skip
    """Fetch what the lake lacks of one contract. The requests have retries of their own, and a 451 is no error."""
    try:
        return derivatives.run(layout, hosts, symbol, window, now, compression, progress)
    except RestrictedError:
        return Collected(symbol, served=False)


def summary(done: list[Collected], asked_by_name: bool) -> tuple[str, dict[str, str]]:
    """Say in one line what was done; return that, and the symbols asked for by name that have no contract."""
    parts = [
        f"{sum(one.fundings for one in done):,} fundings", f"{sum(one.interests for one in done):,} open interests",
        many(sum(one.known and one.served for one in done), "symbol"),
    ]  # fmt: skip
    counts = {
        "absent": sum(one.absent for one in done), "not there yet": sum(one.left for one in done),
        "hours whose fundings are not all there yet": sum(one.hours_left for one in done),
        "zips refused": sum(one.quarantined for one in done), "rows refused": sum(one.refused for one in done),
        "contradictions": sum(one.contradictions for one in done),
        "put right that were five minutes early": sum(one.mended for one in done),
    }  # fmt: skip
    parts += [f"{count:,} {what}" for what, count in counts.items() if count]
    strange = [one.symbol for one in done if not one.known]
    if strange and not asked_by_name:
        parts.append(f"without a USD-M contract: {' '.join(strange)}")
    if done and not done[-1].served:
        nothing = not any(one.fundings + one.interests for one in done)
        parts = [NOT_SERVED] if nothing else [*parts, "then USD-M futures were not served from here (HTTP 451)"]
    reason = "has no USD-M contract: check the name"
    return ", ".join(parts), dict.fromkeys(strange, reason) if asked_by_name else {}
