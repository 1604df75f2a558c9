"""Slices killed with SIGKILL: before each step that a file system sees, and at any moment."""

import os
import random
import shutil
import subprocess
import sys

import pytest

from lake import export, outputs, receipts, slices
from lake.errors import LakeError
from tests.lake.sliceable import DAYS, everything

pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGKILL and fork are POSIX's")

STEPS = """
import os, sys
from pathlib import Path
from lake import export, slices
from lake.layout import Layout
from lake.windows import Window

base, outs, overwrite = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "overwrite"
wanted = slices.asked("bars", ["SOLUSDT", "ADAUSDT"], Window.parse("2025-10-20", "2025-10-22"))

def killed_before(step):
    folder, seen = outs / f"{step:03}", 0
    def hook(event, arguments):
        nonlocal seen
        if event in ("os.rename", "os.link", "os.remove", "open", "os.mkdir") and str(folder) in str(arguments[0]):
            seen += 1
            if seen == step:
                os.kill(os.getpid(), 9)
    sys.addaudithook(hook)
    export.slice_to(Layout(base), wanted, folder / "a.parquet", overwrite)
    os._exit(0)

for step in range(1, 100):
    child = os.fork()
    if not child:
        killed_before(step)
    if os.waitpid(child, 0)[1] == 0:
        print(step)
        break
"""


def run(script, *arguments, **more):
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", script, *map(str, arguments)], stdout=subprocess.PIPE, text=True, **more
    )  # fmt: skip


def state(out, old, new):
    """What a person sees of a slice, each file whole; anything else is a failure."""
    receipt = outputs.receipt_of(out)
    out.parent.mkdir(exist_ok=True)
    assert {path.name for path in out.parent.iterdir() if not path.name.startswith(".")} <= {out.name, receipt.name}
    found = None
    if out.exists():
        found = {old[0]: "old", new[0]: "new"}[out.read_bytes()]
    if receipt.exists():
        described = {old[1]: "old", new[1]: "new"}[receipt.read_bytes()]
        assert found in (None, described), "a receipt beside a file that it does not describe"
        return found, described
    return found, None


def written(out, overwrite=False):
    return out.read_bytes(), outputs.receipt_of(out).read_bytes()


@pytest.fixture
def two(layout, tmp_path):
    """A lake; the bytes and receipts of a slice that lies in `old/`, and of another that is asked for in its place."""
    everything(layout)
    for folder, names in (("old", ["XRPUSDT"]), ("new", ["SOLUSDT", "ADAUSDT"])):
        export.slice_to(layout, slices.asked("bars", names, DAYS), tmp_path / folder / "a.parquet")
    return layout, written(tmp_path / "old" / "a.parquet"), written(tmp_path / "new" / "a.parquet")


@pytest.mark.parametrize("overwrite", [False, True])
def test_killed_before_any_step_no_half_slice_is_seen_and_the_next_run_ends_it(two, tmp_path, overwrite):
    layout, old, new = two
    outs = tmp_path / "outs"
    for step in range(1, 40):
        if overwrite:
            shutil.copytree(tmp_path / "old", outs / f"{step:03}")
    process = run(STEPS, layout.base, outs, "overwrite" if overwrite else "new")
    steps = int(process.communicate(timeout=120)[0])
    states = []
    for step in range(2, steps + 1):
        out = outs / f"{step:03}" / "a.parquet"
        states.append(state(out, old, new))
        if states[-1] == ("new", "new") and step < steps:
            continue
        export.slice_to(layout, slices.asked("bars", ["SOLUSDT", "ADAUSDT"], DAYS), out, overwrite=True)
        assert written(out) == new
        assert {path.name for path in out.parent.iterdir()} == {"a.parquet", "a.parquet.receipt.json"}
    seen = list(dict.fromkeys(states))
    if overwrite:
        assert seen == [("old", "old"), ("old", None), ("new", None), ("new", "new")]
    else:
        assert seen == [(None, None), (None, "new"), ("new", "new")]


def test_after_a_kill_a_run_that_must_not_overwrite_takes_up_the_receipt_of_no_file(two, tmp_path):
    layout, _, new = two
    out = tmp_path / "out" / "a.parquet"
    out.parent.mkdir()
    outputs.receipt_of(out).write_bytes(new[1])
    left = [out.with_name(f".{name}.7-0123abcd.tmp") for name in (out.name, outputs.receipt_of(out).name)]
    others = [out.with_name(f".{name}.7-0123abcd.tmp") for name in ("a", "b.parquet", "a.parquet.x")]
    for path in left + others:
        path.write_text("half")
    export.slice_to(layout, slices.asked("bars", ["SOLUSDT", "ADAUSDT"], DAYS), out)
    assert written(out) == new
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in others), "another file's hidden file may be that of a run going on"


ENDLESS = """
import sys
from pathlib import Path
from lake import export, slices
from lake.layout import Layout
from lake.windows import Window

wanted = slices.asked("bars", ["SOLUSDT", "ADAUSDT"], Window.parse("2025-10-20", "2025-10-22"))
while True:
    print("begun", flush=True)
    export.slice_to(Layout(Path(sys.argv[1])), wanted, Path(sys.argv[2]), overwrite=True)
"""


def test_killed_at_any_moment_every_slice_that_is_seen_is_whole(two, tmp_path):
    layout, old, new = two
    out, chance = tmp_path / "out" / "a.parquet", random.Random(20251020)
    shutil.copytree(tmp_path / "old", out.parent)
    for _ in range(6):
        process = run(ENDLESS, layout.base, out)
        process.stdout.readline()
        try:
            process.wait(chance.uniform(0, 0.3))
        except subprocess.TimeoutExpired:
            process.kill()
        assert process.wait(30) == -9
        process.stdout.close()
        state(out, old, new)
    export.slice_to(layout, slices.asked("bars", ["SOLUSDT", "ADAUSDT"], DAYS), out, overwrite=True)
    assert written(out) == new
    assert {path.name for path in out.parent.iterdir()} == {"a.parquet", "a.parquet.receipt.json"}


def test_a_file_that_is_seen_without_its_receipt_is_not_verified(two, tmp_path):
    out = tmp_path / "new" / "a.parquet"
    outputs.receipt_of(out).unlink()
    with pytest.raises(LakeError, match=r"a\.parquet\.receipt\.json: no such file"):
        receipts.verify(out)
