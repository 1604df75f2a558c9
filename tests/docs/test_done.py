"""What the documents tell a person to do does what they say: SQL, and the runbook's repairs, on a small lake."""

import shutil

import pytest

import lake
from lake import compact, transform
from lake.layout import Layout
from lake.windows import moment
from tests.conftest import DAY
from tests.docs import pages
from tests.docs.test_said import commands
from tests.shell import crypto_lake

DATE = moment(DAY).date()


def run(*words):
    done = crypto_lake(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def bars(base):
    return lake.bars("SOLUSDT", "2025-10-20", "2025-10-21", tf="1s", base=base, form="arrow")


def test_every_sql_block_runs_and_answers(small_lake):
    con = lake.connect()
    found = [block for name in pages.NAMES for block in pages.blocks(pages.text(name), "sql")]
    assert len(found) >= 2
    for query in found:
        assert con.sql(query).columns, query
    assert con.sql(next(block for block in found if "AS proved" in block)).fetchall()


def test_every_sql_command_runs(small_lake):
    found = [words for name in pages.NAMES for words in commands(pages.text(name)) if words[0] == "sql"]
    queries = {tuple(words) for words in found if len(words) > 1}
    assert len(queries) >= 3
    for words in queries:
        run(*words)


@pytest.fixture
def day(layout, raw, monkeypatch):
    """A compacted day, with its raw parts; the settings name this lake."""
    raw.put(*(raw.trade(5 + n, 10 * n, str(100 + n % 7)) for n in range(40)))
    raw.put(*(raw.trade(45 + n, 400 + 10 * n, str(100 + n % 7)) for n in range(40)))
    transform.run(layout, "SOLUSDT")
    compact.run(layout, "SOLUSDT", DATE)
    monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))
    return layout.day_file("SOLUSDT", DATE)


def test_a_damaged_day_is_made_anew_by_the_runbooks_two_commands(layout, day, tmp_path):
    before = bars(layout.base)
    told = [words for words in commands(pages.text("docs/runbook.md")) if "2025-10-20" in words]
    assert [words[0] for words in told] == ["transform-hour", "compact-day"]
    for path in sorted(day.parent.glob(f"{day.name}*")):
        shutil.move(path, tmp_path)
    for words in told:
        run(*words)
    assert bars(layout.base).equals(before)
    assert layout.hour_files("SOLUSDT", DATE) == {}
    assert len(list(day.parent.glob(f"{day.name}*"))) == 2


def test_a_ledger_that_is_removed_is_made_anew(layout, day):
    before = bars(layout.base)
    for path in layout.ledger.parent.glob("*.sqlite*"):
        path.unlink()
    run("transform-hour")
    assert layout.ledger.is_file()
    assert bars(layout.base).equals(before)


def test_a_lake_that_was_copied_without_what_need_not_be_saved_is_whole(layout, day, tmp_path, monkeypatch):
    before = bars(layout.base)
    other = Layout(tmp_path / "elsewhere" / "lake")
    shutil.copytree(layout.base, other.base, ignore=shutil.ignore_patterns(".*", "locks", "ledger", "logs"))
    shutil.rmtree(layout.base)
    monkeypatch.setenv("LAKE_BASE_PATH", str(other.base))
    run("transform-hour")
    run("compact-day")
    assert bars(other.base).equals(before)


def test_a_hole_is_filled_by_anothers_raw_part(layout, raw, tmp_path, monkeypatch):
    lines = [raw.trade(5 + n, 10 * n, str(100 + n % 7)) for n in range(90)]
    whole = raw.put(*lines)
    theirs = whole.rename(tmp_path / "part_0001.jsonl")
    raw.put(*lines[:30], name="part_0001.jsonl")
    raw.put(*lines[60:], name="part_0002.jsonl")
    monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))

    def missing():
        found = lake.coverage("SOLUSDT", "2025-10-20", "2025-10-21", base=layout.base)
        return int(found["trades_missing"].sum())

    run("transform-hour")
    run("compact-day")
    assert missing() == 30
    assert "Another crypto-lake that recorded it**: the same, with its raw parts" in pages.text("docs/runbook.md")
    run("import-frames", str(theirs))
    run("transform-hour")
    run("compact-day")
    assert missing() == 0
    assert sum(bars(layout.base)["trade_count"].to_pylist()) == 90, "trades that both have count once"
    assert layout.hour_files("SOLUSDT", DATE) == {}
