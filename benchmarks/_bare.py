"""Bare Great Expectations, as its documents say: a file context, an asset and a validation definition a symbol.

Same frames, same expectations as ours, its own pages. `once` builds them at the end (the limit), `each` by an
`UpdateDataDocsAction` after every symbol-day (what most repositories do).
"""

from pathlib import Path
from typing import Any

from lake.layout import Layout
from lake.windows import Window

NOT_COMPARED: dict[str, Any] = {"checked": 0, "violations": 0, "rows": []}
"""Of R7: holding bars against klines is our own work beside Great Expectations, so that the limit goes without it."""


def run(layout: Layout, symbols: list[str], window: Window, project: Path, *, each: bool) -> int:
    """Validate a day of every symbol; return how many rows there were."""
    import great_expectations as gx

    from expectations import suites
    from expectations.days import symbol_days
    from expectations.tables import of_source

    project.mkdir(parents=True)
    context = gx.get_context(mode="file", project_root_dir=project)
    context.variables.progress_bars = {"globally": False}
    context.variables.save()
    suite = context.suites.add(suites.suite("bars", "1s"))
    source = context.data_sources.add_pandas("lake")
    action = gx.checkpoint.UpdateDataDocsAction(name="pages", site_names=["local_site"])
    rows, (table, tf) = 0, of_source("bars", "1s")[0]
    for symbol in symbols:
        batch = source.add_dataframe_asset(symbol).add_batch_definition_whole_dataframe("day")
        definition = context.validation_definitions.add(
            gx.ValidationDefinition(name=symbol, data=batch, suite=suite)
        )  # fmt: skip
        for day in symbol_days(layout, table, symbol, window, tf, window.end):
            rows += len(day.frame)
            facts = day.facts(wide_counts=False, previous_trade_id=None) | {"parity": NOT_COMPARED}
            told = {
                "batch_parameters": {"dataframe": day.frame},
                "expectation_parameters": suites.parameters("bars", facts),
            }
            if each:
                checkpoint = gx.Checkpoint(name=symbol, validation_definitions=[definition], actions=[action])
                context.checkpoints.add(checkpoint).run(**told)
            else:
                definition.run(**told)
    if not each:
        context.build_data_docs()
    return rows
