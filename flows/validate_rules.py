"""Bars against the rules."""

from datetime import UTC, datetime
from pathlib import Path

from prefect import State, flow

from lake import settings
from lake.errors import LakeError
from lake.params import BarsSource, End, Out, Start, Symbols, Timeframe, window
from lake.windows import DAY, Window
from tasks import artifacts, progress
from tasks.rules import check_rules
from tasks.runs import judged, named, reported


@flow(flow_run_name=named("validate"))
@reported
def validate_rules(
    symbols: Symbols | None = None,
    start: Start | None = None,
    end: End | None = None,
    tf: Timeframe = "1s",
    source: BarsSource = "bars",
    report: Out | None = None,
) -> State:
    """Check bars against every rule. The run ends Failed on FAIL, Completed on PASS and INVESTIGATE.

    Args:
        symbols: Pairs, such as SOLUSDT. Left out: every symbol that has bars.
        start: First moment (UTC), such as 2025-10-21T00:00:00Z. Without start and end: all of yesterday.
        end: End (UTC), such as 2025-10-22T00:00:00Z; does not belong to the range any more.
        tf: Length of a bar: 1s as stored, or 1m rolled up.
        source: What is checked: bars, the lake's own.
        report: Markdown file to write. Left out: one under the lake's reports/.
    """
    lake, now = settings.load(), datetime.now(UTC)
    span = window(start, end) or Window.of_day(now.date() - DAY)
    names = symbols or lake.layout.bar_symbols()
    if not names:
        raise LakeError("no symbol has bars yet: collect and transform first")
    with progress.shown("validate") as shown:
        outcome = check_rules(
            lake.layout, names, span, tf, source, now, Path(report) if report else None, shown,
            lake.validation.keep_runs,
        )  # fmt: skip
    artifacts.markdown("validate-rules-report", outcome.report.read_text(encoding="utf-8"), f"Rules over {span}")
    artifacts.link("validate-rules-docs", outcome.data_docs, "Data Docs")
    violated = ", ".join(f"{r.rule} {r.violations:,}" for r in outcome.rules if r.violations) or "no violation"
    return judged(
        outcome.verdict, f"{outcome.rows:,} rows of {len(names)} symbols in {span}: {violated}", outcome.to_json()
    )
