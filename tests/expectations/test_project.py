"""The Great Expectations project on disk: torn files are made anew, what a user has added is not lost."""

import shutil

import pytest

from expectations import rulepack
from tests.expectations.small import (
    bars,
    check,
    plant,
    write_hours,
)
from tests.expectations.test_own import allow


@pytest.mark.parametrize(
    ("torn", "verdict"), [("great_expectations.yml", "PASS"), ("expectations/bars_1s.json", "INVESTIGATE")]
)
def test_a_torn_project_file_is_made_anew(layout, torn, verdict):
    """Of a suite that cannot be read nobody knows what a user had added to it."""
    write_hours(layout, bars(60))
    check(layout, 60)
    path = layout.reports / "gx" / torn
    path.write_bytes(path.read_bytes()[:40])
    outcome = check(layout, 60)
    assert outcome.verdict == verdict
    assert ["reports/gx/damaged-1/expectations/bars_1s.json" in note for note in outcome.notes] == [True] * (
        verdict != "PASS"
    )


@pytest.mark.parametrize("torn", ["great_expectations.yml", "checkpoints/bars_1s.json"])
def test_own_expectations_lost_with_a_torn_project_are_told_until_they_are_dealt_with(layout, torn):
    import great_expectations as gx
    import great_expectations.expectations as gxe

    write_hours(layout, bars(60))
    check(layout, 60)
    context = gx.get_context(mode="file", project_root_dir=layout.reports)
    context.suites.get("bars_1s").add_expectation(gxe.ExpectTableRowCountToEqual(value=1, severity="critical"))
    allow(layout)
    assert check(layout, 60).verdict == "FAIL"
    project = layout.reports / "gx"
    (project / torn).write_text("{torn")
    for _ in range(2):  # not the run alone that finds the project torn
        outcome = check(layout, 60)
        [note] = outcome.to_json()["notes"]
        assert outcome.verdict == "INVESTIGATE"
        assert "1 expectation " in note
        assert "reports/gx/damaged-1/expectations/bars_1s.json" in note
        assert "reports/gx/damaged-1/expectations/bars\\_1s.json" in outcome.report.read_text()
    assert check(layout, 60, tf="1m").verdict == "PASS"  # another suite, which lost nothing
    shutil.rmtree(project / "damaged-1")
    assert (check(layout, 60).verdict, check(layout, 60).notes) == ("PASS", ())


def test_what_a_user_has_added_to_a_torn_project_is_put_aside_and_not_lost(layout):
    write_hours(layout, bars(60))
    check(layout, 60)
    project = layout.reports / "gx"
    (project / "expectations" / "theirs.json").write_text("{}")
    for number in (1, 2):
        (project / "checkpoints" / "bars_1s.json").write_text(f"torn {number}")
        assert check(layout, 60).verdict == "PASS"
    assert (project / "damaged-1" / "expectations" / "theirs.json").read_text() == "{}"
    for number in (1, 2):
        assert (project / f"damaged-{number}" / "checkpoints" / "bars_1s.json").read_text() == f"torn {number}"
    assert not (project / "damaged-3").exists()


def test_a_changed_rulepack_changes_the_stored_suite(layout, monkeypatch):
    write_hours(layout, plant(bars(60), [3], open=None))
    assert check(layout, 60).verdict == "FAIL"
    monkeypatch.setattr(rulepack, "RULES", tuple(rule for rule in rulepack.RULES if rule.id != "R4"))
    outcome = check(layout, 60)
    assert (outcome.verdict, [rule.rule for rule in outcome.rules].count("R4")) == ("PASS", 0)
