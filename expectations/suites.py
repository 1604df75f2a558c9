"""The Great Expectations side of the rulepack: one custom expectation, and the suites generated from the rules.

Great Expectations has nothing for grids, trade ids or "one violation is one row however many comparisons fail", so each
check of the rulepack is one `ExpectCheckToHold`; its counts and offending rows are the ones that the report shows.
"""

from typing import Any, ClassVar

from great_expectations import ExpectationSuite
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.execution_engine import ExecutionEngine, PandasExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider

from expectations import checks, rulepack
from expectations.findings import Finding
from expectations.tables import TABLES

_METRIC = "table.lake_check"
_SEVERITY = {"fail": "critical", "investigate": "warning"}


class LakeCheck(TableMetricProvider):
    """The metric behind `ExpectCheckToHold`: what `expectations.checks.find` finds in the frame."""

    metric_name = _METRIC
    value_keys = ("check", "facts")

    @metric_value(engine=PandasExecutionEngine)
    def _pandas(
        cls,  # noqa: N805  (the decorator makes it a class method)
        execution_engine: PandasExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any],
    ) -> Finding:
        frame, _, _ = execution_engine.get_compute_domain(metric_domain_kwargs, domain_type=MetricDomainTypes.TABLE)
        return checks.find(rulepack.check(metric_value_kwargs["check"]), frame, metric_value_kwargs["facts"])


class ExpectCheckToHold(BatchExpectation):
    """Expect a check of the rulepack to hold, without a single violation.

    Its result has Great Expectations' own fields: ``element_count`` (what was checked), ``unexpected_count``,
    ``unexpected_percent``, ``unexpected_index_column_names`` and ``partial_unexpected_index_list``, the first
    `limits.TOP` offending rows with the columns that show why.
    """

    check: str
    facts: dict[str, Any]

    metric_dependencies: ClassVar[tuple[str, ...]] = (_METRIC,)
    success_keys: ClassVar[tuple[str, ...]] = ("check", "facts")
    args_keys: ClassVar[tuple[str, ...]] = ("check", "facts")

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine | None = None,
    ) -> dict[str, Any]:
        found: Finding = metrics[_METRIC]
        return {
            "success": found.violations == 0,
            "result": {
                "element_count": found.checked,
                "unexpected_count": found.violations,
                "unexpected_percent": 100 * found.violations / found.checked if found.checked else 0.0,
                "unexpected_index_column_names": ["symbol", "window_start"],
                "partial_unexpected_index_list": found.rows,
            },
        }


def name(source: str, tf: str) -> str:
    """Return the name of the suite for a source and timeframe, such as ``bars_1s``."""
    return f"{source}_{tf}"


def names() -> list[str]:
    """Return the names of all suites there are, of every table and timeframe."""
    return sorted(name(table.name, tf) for table in TABLES.values() for tf in table.tfs)


def suite(source: str, tf: str) -> ExpectationSuite:
    """Generate the suite for a source and timeframe from the rulepack: one expectation a check, in order."""
    return ExpectationSuite(
        name(source, tf),
        expectations=[
            ExpectCheckToHold(
                check=check.key,
                facts={"$PARAMETER": parameter(check.key)},
                severity=_SEVERITY[check.severity],
                description=f"{check.rule} {rulepack.rule(check.rule).title}: {check.says}",
            )
            for check in rulepack.checks(source)
        ],
        meta={"rulepack": [rule.id for rule in rulepack.rules(source)]},
    )


def is_ours(config: Any) -> bool:
    """Return whether an expectation's configuration is of the rulepack."""
    return "check" in config.kwargs and "facts" in config.kwargs


def key(config: Any) -> str:
    """Return the check's key of an expectation's configuration, the rulepack's or the user's own."""
    return str(config.kwargs["check"] if is_ours(config) else config.meta["key"])


def said(suite: ExpectationSuite) -> list[Any]:
    """Return all that a suite says, to be compared."""
    config = [item.configuration.to_json_dict() for item in suite.expectations]
    return [{name: value for name, value in one.items() if name != "id" and value} for one in config]


def parameter(key: str) -> str:
    """Return the name of the suite parameter that carries a check's facts."""
    return f"facts_{key.replace('-', '_')}"


def parameters(source: str, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the suite parameters of one symbol-day: of all its facts, those that each check asks for."""
    return {parameter(check.key): {fact: facts[fact] for fact in check.facts} for check in rulepack.checks(source)}
