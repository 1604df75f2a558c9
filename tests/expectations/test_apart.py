"""Code of a user's that ends the process it runs in: there is no verdict then, and that is an error."""

import os
import subprocess
import sys

import pytest

from expectations import apart
from expectations.validate import validate
from lake.errors import BadInputError, LakeError
from lake.windows import Window
from tests.expectations.small import LATER, SOL, START, bars, counts, plant, write_hours
from tests.expectations.test_own import BUSY, put

MINUTE = Window.parse(START, START.replace(minute=1))
NOW = "import os\nos._exit(0)\n"
LATE = """import os
import great_expectations.expectations as gxe

class ExpectNothing(gxe.ExpectColumnValuesToBeBetween):
    def _validate(self, *given, **more):
        os.write(1, b'{"verdict": "PASS", "rules": []}')
        END

EXPECTATIONS = [ExpectNothing(column="close", min_value=0)]
"""


def validated(layout, told=lambda _: None):
    return apart.validated(layout, [SOL], MINUTE, now=LATER, progress=told)


@pytest.mark.parametrize(
    ("text", "code"), [(NOW, "0"), (LATE.replace("END", "os._exit(0)"), "0"), (LATE.replace("END", "os.abort()"), "-6")]
)
def test_an_expectation_that_ends_the_process_is_an_error_and_no_verdict(layout, text, code):
    write_hours(layout, bars(60))
    put(layout, text)
    with pytest.raises(LakeError, match=f"ended with exit code {code} and without a verdict: code of your own in"):
        validated(layout)
    assert not list(layout.reports.glob("*.md"))


def test_with_code_of_ones_own_a_validation_finds_the_same_and_tells_its_progress_and_what_it_logs(layout, capsys):
    write_hours(layout, plant(bars(60), [3, 7], trade_count=2_000_000))
    put(layout, BUSY.format(severity="critical") + "print('heard')\nimport os; os.write(1, b'and this')\n")
    told = []
    found = validated(layout, told.append)
    assert (found.verdict, counts(found), told) == ("FAIL", {"busy": 2}, ["SOLUSDT 2025-10-20"])
    assert found == validate(layout, [SOL], MINUTE, now=LATER)
    assert capsys.readouterr().out.replace("heard\n", "").replace("and this", "") == ""


def test_a_file_that_is_wrong_is_bad_input_in_a_process_of_its_own_too(layout):
    write_hours(layout, bars(60))
    put(layout, "raise ZeroDivisionError('planted')\n")
    with pytest.raises(BadInputError, match=r"busy\.py: ZeroDivisionError: planted"):
        validated(layout)


def test_code_takes_part_where_all_rules_were_allowed_and_not_in_a_project_as_we_make_it(layout):
    write_hours(layout, bars(60))
    assert not apart.has_code(layout)
    validate(layout, [SOL], MINUTE, now=LATER)
    assert not apart.has_code(layout)
    path = put(layout, NOW)
    assert apart.has_code(layout)
    path.write_text(LATE)
    assert not apart.has_code(layout)


def test_the_command_ends_with_one_line_and_exit_code_1(layout):
    write_hours(layout, bars(60))
    put(layout, NOW)
    span = ["--start", "2025-10-20T10:00:00Z", "--end", "2025-10-20T10:01:00Z", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "flows", "validate-rules", "--symbols", SOL, *span], capture_output=True, text=True,
        env={**os.environ, "LAKE_BASE_PATH": str(layout.base)},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert "without a verdict" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="a folder is mounted over")
def test_reports_that_cannot_be_written_are_one_line_and_no_verdict_and_the_project_stays(layout):
    write_hours(layout, bars(60))
    validate(layout, [SOL], MINUTE, now=LATER)
    before = {path: path.read_bytes() for path in layout.reports.rglob("*") if path.is_file()}
    mount = subprocess.run(["mount", "--bind", layout.reports, layout.reports])
    if mount.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", layout.reports], check=True)
        with pytest.raises(LakeError, match=r"cannot be read or written \(Read-only file system\).*no verdict"):
            validated(layout)
    finally:
        subprocess.run(["umount", layout.reports], check=True)
    assert {path: path.read_bytes() for path in layout.reports.rglob("*") if path.is_file()} == before
