"""The lake against the rules."""

from datetime import UTC, datetime
from functools import partial

from prefect import State, flow

from lake import settings
from lake.backfill import Job
from lake.errors import LakeError
from lake.outputs import REPORTS
from lake.params import End, Out, RulesSource, RulesTimeframe, Series, Start, window
from lake.settings import Settings
from lake.windows import DAY, Window
from tasks import artifacts, history, progress
from tasks.places import named_file
from tasks.rules import check_rules, names_of, not_held
from tasks.runs import each, judged, many, named, reported


@flow(flow_run_name=named("validate"))
@reported
def validate_rules(
    symbols: Series | None = None,
    start: Start | None = None,
    end: End | None = None,
    tf: RulesTimeframe | None = None,
    source: RulesSource = "bars",
    report: Out | None = None,
    fetch_klines: bool = False,
) -> State:
    """Check bars, or another source, against every rule. The run ends Failed on FAIL, else Completed.

    Args:
        symbols: Pairs, such as SOLUSDT; of macro, tickers. Left out: all that the lake has of the source; those of
            config.yml that it has nothing of are named, and there is no PASS.
        start: First moment (UTC), such as 2025-10-21T00:00:00Z. Without start and end: all of yesterday.
        end: End of the range (UTC, exclusive), such as 2025-10-22T00:00:00Z.
        tf: Length of a bar or kline: 1s or 1m. Those that begin in the range are checked, each as a whole. Left out:
            bars as stored (1s), klines of 1m.
        source: What is checked: bars (the lake's own), klines (the exchange's), macro or derivatives.
        report: Markdown file (NAME.md) to write, in the place of another report at most. Left out: one under the lake's
            reports/. A relative path is taken from the lake's folder. A run ordered from Prefect writes in its folder
            reports alone: sol.md is reports/sol.md there.
        fetch_klines: Of bars: first fetch the klines that the lake lacks, so that R7 can compare every minute.
    """
    lake, now = settings.load(), datetime.now(UTC)
    span = window(start, end) or Window.of_day(now.date() - DAY)
    names, place = names_of(lake, source, tf, symbols), named_file(lake.layout, report, REPORTS) if report else None
    if not names:
        raise LakeError(f"no symbol has {source} yet: {_FIRST[source]} first")
    notes = _fetch(lake, names, span) if fetch_klines and source == "bars" else []
    doubts = [] if symbols else not_held(lake, source)
    with progress.shown("validate") as shown:
        outcome = check_rules(
            lake.layout, names, span, tf, source, now, place, shown, notes,
            lake.validation.keep_runs, doubts,
        )  # fmt: skip
    key = "validate-rules" if source == "bars" else f"validate-rules-{source}"
    artifacts.markdown(f"{key}-report", outcome.report.read_text(encoding="utf-8"), f"Rules over {span}: {source}")
    artifacts.link(f"{key}-docs", outcome.data_docs, "Data Docs")
    artifacts.table(f"{key}-days", outcome.by_day(), f"Verdicts by day: {source}")
    violated = ", ".join(f"{r.rule} {r.violations:,}" for r in outcome.rules if r.violations) or "no violation"
    what = f"{outcome.rows:,} rows of {many(len(names), 'symbol')} in {span}: {violated}"
    return judged(outcome.verdict, "; ".join([what, *outcome.notes]), outcome.to_json())


_FIRST = {
    "bars": "collect and transform",
    "klines": "run backfill-binance",
    "macro": "run macro-minute",
    "derivatives": "run derivatives-hour",
}


def _fetch(lake: Settings, names: list[str], span: Window) -> list[str]:
    """Fetch the klines that the lake lacks; return what failed: R7 has nothing to check there, which is no pass."""
    codec = lake.transformer.parquet_compression
    ask = partial(history.ask_exchange, lake.layout, lake.binance, names, "auto")
    infos, failed = each(["all symbols"], lambda _: ask(), progress.quiet)
    if infos:
        fetch = partial(history.fetch_klines, lake.layout, lake.binance)
        _, failed = each(
            names, lambda name: fetch(Job(name, "1m", span), infos[0], codec, progress.quiet), progress.quiet
        )  # fmt: skip
    return [f"klines of {name} could not be fetched ({reason})" for name, reason in failed.items()]
