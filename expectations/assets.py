"""Each symbol's asset and validation definition in the Great Expectations project.

A symbol is a dataframe asset with one batch, its symbol-day. All that are missing are added at once: each time one is
added, Great Expectations writes the project's YAML whole, 60 ms a symbol.
"""

from collections.abc import Iterable
from typing import Any

import great_expectations as gx
from great_expectations.core.batch_definition import BatchDefinition
from great_expectations.datasource.fluent.pandas_datasource import DataFrameAsset

from lake.layout import EXCHANGE

_BATCH = "symbol-day"


def definitions(
    context: Any, suite: gx.ExpectationSuite, symbols: Iterable[str]
) -> dict[str, gx.ValidationDefinition]:  # fmt: skip
    """Return the validation definition of each symbol for a suite, made and stored where it is not there."""
    found = {symbol: _stored(context, _name(suite, symbol)) for symbol in symbols}
    missing = [symbol for symbol, definition in found.items() if definition is None]
    if missing:
        source = _with_assets(context, missing)
        for symbol in missing:
            batch = source.get_asset(symbol).get_batch_definition(_BATCH)
            made = gx.ValidationDefinition(name=_name(suite, symbol), data=batch, suite=suite)
            found[symbol] = context.validation_definitions.add_or_update(made)
    return found


def _with_assets(context: Any, symbols: list[str]) -> Any:
    """The data source, with an asset of each symbol."""
    source = context.data_sources.all().get(EXCHANGE) or context.data_sources.add_pandas(EXCHANGE)
    new = [symbol for symbol in symbols if symbol not in source.get_asset_names()]
    if not new:
        return source
    made = [DataFrameAsset(name=one, batch_definitions=[BatchDefinition(name=_BATCH)]) for one in new]
    context.data_sources.add_or_update_pandas(name=EXCHANGE, assets=[*source.assets, *made])
    return context.data_sources.get(EXCHANGE)


def _name(suite: gx.ExpectationSuite, symbol: str) -> str:
    return f"{suite.name} {symbol}"


def _stored(context: Any, name: str) -> gx.ValidationDefinition | None:
    try:
        return context.validation_definitions.get(name)
    except gx.exceptions.DataContextError:
        return None
