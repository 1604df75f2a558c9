"""A user's own expectations, in files: they run, they count as their severity says, a broken one is never a pass."""

import json

import pytest

from expectations import rulepack
from expectations.outcome import Outcome
from lake import own_rules
from lake.errors import BadInputError, LakeError
from tests.expectations import test_derivatives as derivatives
from tests.expectations.small import at, bars, check, counts, plant, rows_of, write_hours

BUSY = '''"""No second is busier than we believe.

A second with a million trades is a feed gone wrong.
"""
import great_expectations.expectations as gxe

EXPECTATIONS = [gxe.ExpectColumnValuesToBeBetween(column="trade_count", max_value=1_000, severity="{severity}",
                                                  description="trade_count is 1,000 at most")]
'''


def put(layout, text, name="busy.py"):
    path = layout.reports / "gx" / "plugins" / "expectations" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    allow(layout)
    return path


def allow(layout):
    """Allow all that is of the user's own, as `crypto-lake rules allow` does."""
    own_rules.allow(own_rules.found(own_rules.project(layout)))


def page(outcome: Outcome) -> str:
    return outcome.days[0].page.read_text()


@pytest.mark.parametrize(("severity", "verdict"), [("critical", "FAIL"), ("warning", "INVESTIGATE"), ("info", "PASS")])
def test_a_file_with_a_standard_expectation_is_a_rule_with_pages_report_and_verdict(layout, severity, verdict):
    put(layout, BUSY.format(severity=severity))
    write_hours(layout, plant(bars(60), [3, 7], trade_count=2_000_000))
    outcome = check(layout, 60)
    assert (outcome.verdict, counts(outcome)) == (verdict, {"busy": 2})
    assert rows_of(outcome, "busy") == [
        {"symbol": "SOLUSDT", "window_start": at(index), "trade_count": 2_000_000} for index in (3, 7)
    ]
    for text in (page(outcome), outcome.report.read_text()):
        for words in ("No second is busier than we believe", "A second with a million trades is a feed gone wrong."):
            assert words in text
    assert "trade_count is 1,000 at most" in page(outcome)
    assert f'badge {verdict}">{verdict}' in page(outcome)
    assert "No second is busier" in (outcome.data_docs.parent / "expectations" / "bars_1s.html").read_text()


def test_an_own_expectation_that_holds_is_a_pass_and_twice_is_once(layout):
    put(layout, BUSY.format(severity="critical"))
    write_hours(layout, bars(60))
    assert check(layout, 60).verdict == "PASS"
    pages = {path: path.read_bytes() for path in layout.reports.rglob("*.html")}
    assert check(layout, 60).verdict == "PASS"
    assert {path: path.read_bytes() for path in layout.reports.rglob("*.html")} == pages


def test_an_expectation_on_the_whole_day_counts_the_day(layout):
    mean = "gxe.ExpectColumnMeanToBeBetween(column='close', max_value=5, severity='warning')"
    put(layout, f"import great_expectations.expectations as gxe\nEXPECTATIONS = [{mean}]", "mean.py")
    write_hours(layout, bars(60))
    outcome = check(layout, 60)
    assert (outcome.verdict, counts(outcome)) == ("INVESTIGATE", {"mean": 1})
    assert rows_of(outcome, "mean") == [{"symbol": "SOLUSDT", "column": "close", "found": 100.0}]


def test_a_subclass_written_in_the_file_works_as_great_expectations_documents_it(layout):
    put(layout, "import great_expectations.expectations as gxe\n"
        "class ExpectSmallVolume(gxe.ExpectColumnValuesToBeBetween):\n"
        "    column: str = 'volume_base'\n    max_value: float = 1.0\n    description: str = 'little is traded'\n"
        "    severity: str = 'warning'\n"
        "EXPECTATIONS = [ExpectSmallVolume()]", "small.py")  # fmt: skip
    write_hours(layout, bars(10))
    outcome = check(layout, 10)
    assert (outcome.verdict, counts(outcome)) == ("INVESTIGATE", {"small": 8})
    assert "little is traded" in page(outcome)


def test_a_file_may_name_its_suites_and_one_that_is_gone_is_not_run_any_more(layout):
    path = put(layout, BUSY.format(severity="critical") + "SUITES = ['bars_1m']\n")
    write_hours(layout, plant(bars(60), [3], trade_count=5_000))
    assert check(layout, 60).verdict == "PASS"
    path.write_text(BUSY.format(severity="critical"))
    allow(layout)
    assert check(layout, 60).verdict == "FAIL"
    path.unlink()
    assert check(layout, 60).verdict == "PASS"


@pytest.mark.parametrize("suites", [["bars_1sec"], ["bars_1s", "bars_1sec"]])
def test_a_suite_that_does_not_exist_is_named_with_its_file_and_no_pass(layout, suites):
    put(layout, BUSY.format(severity="info") + f"SUITES = {suites}\n")
    write_hours(layout, bars(60))
    outcome = check(layout, 60)
    [note] = outcome.to_json()["notes"]
    for words in ("reports/gx/plugins/expectations/busy.py", "'bars_1sec'", "bars_1m, bars_1s", "open_interest_5m"):
        assert words in note
    assert outcome.verdict == outcome.to_json()["verdict"] == "INVESTIGATE"
    assert "names the suite 'bars\\_1sec'" in outcome.report.read_text()
    assert "# Validation of bars 1s: INVESTIGATE" in outcome.report.read_text()


def test_a_suite_that_does_not_exist_is_told_once_of_two_tables_and_leaves_a_fail(layout):
    put(layout, BUSY.format(severity="info") + "SUITES = ['funding']\n")
    derivatives.write(layout)
    outcome = derivatives.validated(layout)
    assert (outcome.verdict, len(outcome.to_json()["notes"])) == ("INVESTIGATE", 1)
    write_hours(layout, plant(bars(60), [3], open=None))
    assert check(layout, 60).verdict == "FAIL"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("EXPECTATIONS = [", "SyntaxError"),
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("raise SystemExit(0)", "SystemExit"),
        ("x = 1", "EXPECTATIONS: expected a list of Expectation"),
        ("EXPECTATIONS = []", "EXPECTATIONS: expected a list of Expectation"),
        ("import great_expectations.expectations as gxe\ngxe.ExpectColumnValuesToBeBetween(max_value=1)", "Error"),
    ],
)
def test_a_broken_file_is_one_line_that_names_it_and_never_a_pass(layout, text, reason):
    path = put(layout, text)
    write_hours(layout, bars(60))
    with pytest.raises(BadInputError, match=reason) as error:
        check(layout, 60)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", [rule.id for rule in rulepack.RULES])
def test_a_file_named_like_a_rule_of_ours_is_refused(layout, name):
    put(layout, BUSY.format(severity="info"), f"{name}.py")
    write_hours(layout, bars(60))
    with pytest.raises(BadInputError, match=rf"{name}\.py: name the file"):
        check(layout, 60)


def test_an_own_expectation_that_cannot_be_evaluated_names_its_file_and_is_never_a_pass(layout):
    put(layout, BUSY.format(severity="info").replace("trade_count", "no_such_column"))
    write_hours(layout, bars(60))
    with pytest.raises(LakeError, match=r"busy-1 could not be evaluated: .*no_such_column.*busy\.py") as error:
        check(layout, 60)
    assert "\n" not in str(error.value)


def test_an_expectation_added_to_the_stored_suite_is_kept_and_run(layout):
    import great_expectations as gx
    import great_expectations.expectations as gxe

    write_hours(layout, plant(bars(60), [3], trade_count=5_000))
    assert check(layout, 60).verdict == "PASS"
    context = gx.get_context(mode="file", project_root_dir=layout.reports)
    suite = context.suites.get("bars_1s")
    suite.add_expectation(gxe.ExpectColumnValuesToBeBetween(column="trade_count", max_value=1_000, severity="warning"))
    with pytest.raises(BadInputError, match=r"expectations/bars_1s\.json: .*crypto-lake rules allow"):
        check(layout, 60)
    allow(layout)
    for _ in range(2):
        outcome = check(layout, 60)
        assert (outcome.verdict, counts(outcome)) == ("INVESTIGATE", {"suite": 1})


@pytest.mark.parametrize(("severities", "verdict"), [
    ({"funding_1h": ["info", "critical"], "open_interest_5m": ["info"]}, "FAIL"),
    ({"funding_1h": ["critical"], "open_interest_5m": ["info"]}, "FAIL"),
    ({"funding_1h": ["info"], "open_interest_5m": ["critical"]}, "FAIL"),
    ({"funding_1h": ["warning"], "open_interest_5m": ["info", "info"]}, "INVESTIGATE"),
])  # fmt: skip
def test_expectations_added_to_the_suites_of_two_tables_all_count_as_severe_as_they_are(layout, severities, verdict):
    import great_expectations as gx
    import great_expectations.expectations as gxe

    derivatives.write(layout)
    assert derivatives.validated(layout).verdict == "PASS"
    context = gx.get_context(mode="file", project_root_dir=layout.reports)
    for suite, many in severities.items():
        for number, severity in enumerate(many):
            context.suites.get(suite).add_expectation(
                gxe.ExpectTableRowCountToEqual(value=1_000_000 + number, severity=severity)
            )
    allow(layout)
    outcome = derivatives.validated(layout)
    assert (outcome.verdict, counts(outcome)) == (verdict, {"suite": sum(map(len, severities.values()))})


def test_a_checkpoint_a_suite_is_stored_with_the_action_that_builds_data_docs(layout):
    write_hours(layout, bars(60))
    write_hours(layout, bars(60, symbol="SUIUSDT"), "SUIUSDT")
    check(layout, 60)
    check(layout, 60, symbols=("SUIUSDT",))
    stored = json.loads((layout.reports / "gx" / "checkpoints" / "bars_1s.json").read_text())
    assert [action["type"] for action in stored["actions"]] == ["update_data_docs"]
    assert [one["name"] for one in stored["validation_definitions"]] == ["bars_1s SOLUSDT", "bars_1s SUIUSDT"]


def test_what_an_own_file_says_cannot_run_script(layout):
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    put(layout, BUSY.format(severity="critical").replace("No second is busier than we believe.", evil))
    write_hours(layout, plant(bars(60), [3], trade_count=5_000))
    outcome = check(layout, 60)
    for path in outcome.data_docs.parent.rglob("*.html"):
        assert "<script>alert" not in path.read_text()
        assert "<img" not in path.read_text()


def test_an_action_added_to_the_stored_checkpoint_runs_once_after_the_pages_and_cannot_undo_the_verdict(layout):
    from typing import Literal

    import great_expectations as gx
    from great_expectations.checkpoint import ValidationAction

    heard = []

    class TellSomebody(ValidationAction):
        type: Literal["tell_somebody"] = "tell_somebody"

        def run(self, checkpoint_result, action_context=None):
            heard.append((checkpoint_result.success, len(checkpoint_result.run_results)))
            raise ConnectionError("planted")

    write_hours(layout, plant(bars(60), [3], open=None))
    write_hours(layout, bars(60, symbol="SUIUSDT"), "SUIUSDT")
    check(layout, 60)
    context = gx.get_context(mode="file", project_root_dir=layout.reports)
    checkpoint = context.checkpoints.get("bars_1s")
    checkpoint.actions = [*checkpoint.actions, TellSomebody(name="tell")]
    checkpoint.save()
    assert "checkpoints/bars_1s.json" in check(layout, 60).notes[0]
    assert heard == []
    allow(layout)
    outcome = check(layout, 60, symbols=("SOLUSDT", "SUIUSDT"))
    assert (outcome.verdict, heard) == ("FAIL", [(False, 2)])
    assert outcome.data_docs.is_file()


ANY = """from great_expectations.expectations.expectation import BatchExpectation
class ExpectAnything(BatchExpectation):
    def _validate(self, metrics, runtime_configuration=None, execution_engine=None):
        {does}
EXPECTATIONS = [ExpectAnything()]
"""


@pytest.mark.parametrize(("text", "verdict"), [
    ("import great_expectations.expectations as gxe\n"
     "EXPECTATIONS = [gxe.ExpectColumnToExist(column='close', column_index=5)]", "PASS"),
    ("import great_expectations.expectations as gxe\n"
     "EXPECTATIONS = [gxe.ExpectColumnToExist(column='close', column_index=2)]", "FAIL"),
    (ANY.format(does="return {'success': True}"), "PASS"),
    (ANY.format(does="return {'success': False}"), "FAIL"),
])  # fmt: skip
def test_an_expectation_that_answers_yes_or_no_alone_is_counted(layout, text, verdict):
    put(layout, text)
    write_hours(layout, bars(60))
    outcome = check(layout, 60)
    assert (outcome.verdict, counts(outcome)) == (verdict, {} if verdict == "PASS" else {"busy": 1})


@pytest.mark.parametrize("does", ["raise SystemExit(0)", "raise SystemExit", "raise RuntimeError('two\\nlines')"])
def test_an_own_expectation_that_raises_or_ends_the_program_is_one_line_and_never_a_pass(layout, does):
    put(layout, ANY.format(does=does))
    write_hours(layout, bars(60))
    with pytest.raises(LakeError, match="SOLUSDT 2025-10-20: ") as error:
        check(layout, 60)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("text", "reason"), [
    ("import great_expectations.expectations as gxe\n"
     "one = gxe.ExpectColumnToExist(column='close')\nEXPECTATIONS = [one, one]", "twice"),
    ("from expectations.suites import ExpectCheckToHold\n"
     "EXPECTATIONS = [ExpectCheckToHold(check='R4', facts={})]", "rulepack"),
])  # fmt: skip
def test_a_file_whose_expectations_would_not_be_run_as_its_own_is_refused(layout, text, reason):
    write_hours(layout, bars(60))
    check(layout, 60)
    stored = (layout.reports / "gx" / "expectations" / "bars_1s.json").read_bytes()
    path = put(layout, text)
    with pytest.raises(BadInputError, match=reason) as error:
        check(layout, 60)
    assert str(path) in str(error.value)
    assert (layout.reports / "gx" / "expectations" / "bars_1s.json").read_bytes() == stored


def test_what_an_own_file_says_is_no_markup_in_the_report(layout):
    put(layout, BUSY.format(severity="critical").replace("No second is", "<script>alert(1)</script>").replace(
        "A second with", "<img src=x onerror=alert(1)> [x](javascript:alert(1))"))  # fmt: skip
    write_hours(layout, plant(bars(60), [3], trade_count=5_000))
    report = check(layout, 60).report.read_text()
    assert "busier than we believe" in report
    assert not any(markup in report for markup in ("<script", "<img", "[x](javascript"))


def test_what_an_own_file_prints_stays_off_standard_output(layout, capsys):
    put(layout, "print('at import')\n" + ANY.format(does="print('at work'); return {'success': True}"))
    write_hours(layout, bars(60))
    check(layout, 60)
    told = capsys.readouterr()
    assert told.out == ""
    assert "at import\n" in told.err
    assert "at work\n" in told.err
