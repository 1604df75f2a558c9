"""A user's own expectations: Python files in ``reports/gx/plugins/expectations/``, Great Expectations' plugins folder.

A file has a docstring (its first line is the rule's title, the rest says why) and a list ``EXPECTATIONS`` of any of
Great Expectations' expectations, or of subclasses written there. ``SUITES`` names the suites they belong to; without
it, all; a name that no suite has is told to the reader. A file is a rule named like the file; `severity` ``critical``
makes the verdict FAIL, ``warning`` INVESTIGATE, ``info`` nothing. Expectations that somebody has added to the stored
suite are kept, and are the rule ``suite``. None of it runs before all of it was allowed (`lake.own_rules`).
"""

import inspect
import math
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pandas as pd
from great_expectations.expectations.expectation import Expectation

from expectations import suites
from expectations.limits import TOP
from expectations.rule import Check, Rule, Severity, rule_id
from lake import own_rules
from lake.errors import BadInputError
from lake.own_rules import OwnRule

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult

FOLDER = Path("plugins", "expectations")
ADDED = "suite"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_RULEPACK = re.compile(r"[RMDK]\d+\Z")
_SEVERITY: dict[str, Severity] = {"critical": "fail", "warning": "investigate", "info": "info"}
_REMEDY = "See the file {file} in the Great Expectations project of this lake, where this is expected."

_NO_SUITE = (
    "the file reports/gx/plugins/expectations/{} names the suite {!r:.80}, which does not exist, so it is not run "
    "there: name one of {}, or leave SUITES out"
)


def load(
    project: Path, suite: str, rules: Sequence[OwnRule]
) -> tuple[dict[str, list[Expectation]], list[str]]:  # fmt: skip
    """Return the expectations for a suite, by the file that has them, each with its place (`meta`) in it.

    With them, what makes one doubt that all is run which should be: the names in ``SUITES`` that no suite has; and the
    rules that were not allowed. Where there is one of these, no file is run.

    Args:
        project: The folder of the project.
        suite: The suite's name.
        rules: All that is of the user's own there (`lake.own_rules.found`).

    Raises:
        BadInputError: a file does not run, or is not as the module's docstring says; named with the reason. Or
            expectations were added to a stored suite that were not allowed: with it they would be run.
    """
    if line := own_rules.not_allowed(rules):
        if any(not one.is_allowed and one.name.startswith("expectations/") for one in rules):
            raise BadInputError(line)
        return {}, [line]
    found: dict[str, list[Expectation]] = {}
    doubts: list[str] = []
    code = [one for one in rules if one.is_code]
    if code:
        _import_from(project / own_rules.PLUGINS)
    for path, content in [(one.path, one.content) for one in code if one.path.parent == project / FOLDER]:
        if path.suffix != ".py" or path.name.startswith("_"):
            continue
        module = _run(path, content)
        wanted = _list(path, module, "EXPECTATIONS", Expectation, None)
        _refuse_what_is_not_its_own(path, wanted)
        named = _list(path, module, "SUITES", str, [suite])
        doubts += [_NO_SUITE.format(path.name, name, ", ".join(suites.names())) for name in _strange(named)]
        if suite not in named:
            continue
        title, _, why = (inspect.getdoc(module) or "").partition("\n")
        for number, one in enumerate(wanted, 1):
            one.meta = {
                **_told(one, f"{path.stem}-{number}"),
                "file": (FOLDER / path.name).as_posix(),
                "title": title.strip() or path.stem.replace("_", " "),
                "why": " ".join(why.split()),
            }
        found[path.stem] = wanted
    return found, doubts


def added(expectations: Sequence[Expectation], suite: str) -> list[Expectation]:
    """Of a stored suite's expectations, those that neither the rulepack nor a file has put there."""
    mine = [
        one for one in expectations if not isinstance(one, suites.ExpectCheckToHold) and "file" not in (one.meta or {})
    ]
    for number, one in enumerate(mine, 1):
        words = {"title": "Expectations added to the suite", "why": "", **(one.meta or {})}
        one.meta = {**words, **_told(one, f"{ADDED}-{suite}-{number}")}
    return mine


def rules(expectations: Sequence[Expectation]) -> tuple[Rule, ...]:
    """Return the rules that a user's expectations are, as the rulepack has its own."""
    files: dict[str, list[Expectation]] = {}
    for one in expectations:
        files.setdefault(rule_id(one.meta["key"]), []).append(one)
    return tuple(_rule(name, parts) for name, parts in files.items())


def said(expectation: Any) -> tuple[Rule, Check]:
    """Return the rule and the check that a user's expectation (or its configuration) is."""
    meta = expectation.meta
    check = Check(meta["key"], meta["says"], _SEVERITY[meta["severity"]], "row", "")
    remedy = _REMEDY.format(file=meta["file"]) if "file" in meta else "Look into the suite: somebody has added this."
    return Rule(check.rule, meta["title"], meta["why"] or "This lake's owner expects it.", remedy, (check,)), check


def result(found: "ExpectationValidationResult", frame: pd.DataFrame, symbol: str) -> dict[str, Any]:
    """Return Great Expectations' result of any expectation in the shape that the rulepack's have.

    Of an expectation on rows, its rows; of another (a mean, a count, one that says yes or no and no more), the
    symbol-day as one row with what was observed.
    """
    given = found.result or {}
    columns = [
        value
        for name, value in found.expectation_config.kwargs.items()
        if str(name).lower().startswith("column") and isinstance(value, (str, list, tuple, set))
    ]
    names = [name for value in columns for name in ([value] if isinstance(value, str) else value)]
    if "unexpected_count" in given:
        checked = int(given["element_count"])
        count = 0 if found.success else int(given["unexpected_count"])
        places = [place for place in given.get("partial_unexpected_index_list") or () if isinstance(place, int)]
        shown = frame.iloc[places[:TOP]][list(dict.fromkeys(["symbol", "window_start", *names]))]
        rows = [{name: _plain(value) for name, value in row.items()} for row in shown.to_dict("records")]
    else:
        checked, count = 1, 0 if found.success else 1
        observed = given.get("observed_value")
        rows = [{"symbol": symbol, "column": ", ".join(names) or "all", "found": _plain(observed)}]
    if not found.success:
        count = max(count, 1)  # whatever it counts, it does not hold
    return {
        "element_count": checked,
        "unexpected_count": count,
        "unexpected_percent": 100 * count / checked if checked else 0.0,
        "unexpected_index_column_names": ["symbol", "window_start"],
        "partial_unexpected_index_list": rows if count else [],
    }


def _import_from(plugins: Path) -> None:
    """Let rules import what lies in the plugins folder, from its source alone: what was compiled was not looked at."""
    sys.pycache_prefix, sys.dont_write_bytecode = os.devnull, True
    if str(plugins) not in sys.path:
        sys.path.append(str(plugins))


def _run(path: Path, content: bytes) -> ModuleType:
    if not _NAME.match(path.stem) or _RULEPACK.match(path.stem) or path.stem == ADDED:
        raise BadInputError(f"{path}: name the file in letters, digits and _, and not as a rule of the rulepack (R1)")
    module = ModuleType(f"lake_expectations_{path.stem}")
    module.__file__ = str(path)
    try:
        exec(compile(content, path, "exec", dont_inherit=True), module.__dict__)  # noqa: S102  allowed: these bytes
    except (Exception, SystemExit) as error:
        reason = " ".join(str(error).split())[:300]
        raise BadInputError(f"{path}: {type(error).__name__}: {reason}: mend it, or move it away") from error
    return module


def _list(path: Path, module: ModuleType, name: str, kind: type, default: list[Any] | None) -> list[Any]:
    value = getattr(module, name, default)
    if not isinstance(value, (list, tuple)) or not value or not all(isinstance(one, kind) for one in value):
        raise BadInputError(f"{path}: {name}: expected a list of {kind.__name__}, and not an empty one")
    return list(value)


def _strange(named: list[str]) -> list[str]:
    return [name for name in dict.fromkeys(named) if name not in suites.names()]


def _refuse_what_is_not_its_own(path: Path, wanted: list[Expectation]) -> None:
    if any(isinstance(one, suites.ExpectCheckToHold) for one in wanted):
        raise BadInputError(f"{path}: EXPECTATIONS: a check of the rulepack is run without it: take it out")
    if len({id(one) for one in wanted}) < len(wanted):
        raise BadInputError(f"{path}: EXPECTATIONS: one object stands there twice: take it out, or make another")


def _rule(name: str, parts: list[Expectation]) -> Rule:
    both = [said(one) for one in parts]
    first = both[0][0]
    return Rule(name, first.title, first.why, first.remedy, tuple(check for _, check in both))


def _told(expectation: Expectation, key: str) -> dict[str, str]:
    """What a result has to know: Great Expectations leaves out of it what a subclass has as a default."""
    severity = str(getattr(expectation.severity, "value", expectation.severity))
    return {"key": key, "says": expectation.description or _words(expectation), "severity": severity}


def _words(expectation: Expectation) -> str:
    kwargs: Mapping[str, Any] = expectation.configuration.kwargs
    values = ", ".join(f"{key} {value}" for key, value in kwargs.items() if key != "batch_id" and value is not None)
    return f"{expectation.expectation_type.replace('_', ' ')} ({values})"


def _plain(value: Any) -> Any:
    """A cell as JSON has it."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat().replace("+00:00", "Z")
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value if isinstance(value, (bool, int, float, str)) else str(value)
