"""A disk without hard links, and with less than that: real exFAT where it can be mounted, else the calls that fail."""

import errno
import fcntl
import json
import os
import subprocess
import sys
from contextlib import closing

import pytest

from collector.writer import Parts
from lake import doctor_disk, doctor_filesystem, files, ledger, raw, raw_sums, sqlite, transform
from lake.layout import Layout
from tests.conftest import DAY, Raw

LINKLESS = """
import os, sys
from pathlib import Path

def link(*_, **__):
    raise PermissionError(1, "Operation not permitted")

if sys.argv[1] == "without":
    os.link = link
"""
ADDER = (
    LINKLESS
    + """
from lake import raw
for number in range(30):
    raw.add_part(Path(sys.argv[2]), f"{sys.argv[3]} {number}\\n".encode())
"""
)
KILLED = (
    LINKLESS
    + """
from lake import raw

def killed_before(step):
    folder, seen = Path(sys.argv[2]) / f"{step:03}", 0
    folder.mkdir()
    (folder / ".part_0001.jsonl.open").write_bytes(b"whole\\n")
    def hook(event, arguments):
        nonlocal seen
        if event in ("os.rename", "os.link", "os.remove", "os.utime", "open") and str(folder) in str(arguments[0]):
            seen += 1
            if seen == step:
                os.kill(os.getpid(), 9)
    sys.addaudithook(hook)
    raw.close(folder / ".part_0001.jsonl.open")
    os._exit(0)

for step in range(1, 30):
    child = os.fork()
    if not child:
        killed_before(step)
    if os.waitpid(child, 0)[1] == 0:
        print(step)
        break
"""
)


def _refused(number):
    def call(*_, **__):
        raise OSError(number, os.strerror(number))

    return call


@pytest.fixture(params=["as it is", "without", "exfat"])
def folder(request, tmp_path, monkeypatch):
    """A folder on a disk with hard links, on one where they are refused, and on exFAT."""
    if request.param == "exfat":
        return request.getfixturevalue("exfat")
    if request.param == "without":
        monkeypatch.setattr(os, "link", _refused(errno.EPERM))
    return tmp_path


@pytest.fixture
def no_links(monkeypatch):
    monkeypatch.setattr(os, "link", _refused(errno.EPERM))


def test_a_file_is_given_a_name_that_is_free_and_no_other(folder):
    for name in ("one", "two"):
        (folder / f".{name}").write_text(name)
    files.place(folder / ".one", folder / "part")
    with pytest.raises(FileExistsError):
        files.place(folder / ".two", folder / "part")
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"part": "one", ".two": "two"}


def test_a_name_that_a_killed_process_had_given_already_is_the_files_own(tmp_path):
    (tmp_path / ".hidden").write_text("whole")
    (tmp_path / "part").hardlink_to(tmp_path / ".hidden")
    files.place(tmp_path / ".hidden", tmp_path / "part")
    assert [path.name for path in tmp_path.iterdir()] == ["part"]


def test_a_damaged_file_is_set_aside_without_links_too(folder):
    for number in range(2):
        (folder / "record").write_text(str(number))
        files.set_aside(folder / "record")
    assert (folder / "record.damaged").read_text() == "0"
    assert (folder / "record.damaged-2").read_text() == "1"


def test_a_folder_into_which_a_part_was_put_has_another_time(folder):
    """`lake.unread` looks into a day that is compacted only when its folder's time has changed."""
    (folder / ".hidden").write_text("whole")
    os.utime(folder, (1e9, 1e9))
    files.place(folder / ".hidden", folder / "part")
    assert folder.stat().st_mtime > 1e9


@pytest.mark.parametrize("links", ["as they are", "without"])
def test_no_two_processes_take_one_name(tmp_path, links):
    _add_at_once(tmp_path, links)


def test_no_two_processes_take_one_name_on_exfat(exfat):
    _add_at_once(exfat, "as they are")


def _add_at_once(folder, links):
    names = ["a", "b", "c"]
    running = [subprocess.Popen([sys.executable, "-c", ADDER, links, str(folder), name]) for name in names]
    assert [process.wait(120) for process in running] == [0, 0, 0]
    found = {path.name: path.read_text() for path in folder.glob("part_*")}
    assert sorted(found) == [f"part_{number:04}.jsonl" for number in range(1, 91)]
    assert sorted(found.values()) == sorted(f"{name} {number}\n" for name in names for number in range(30))


@pytest.mark.parametrize("links", ["as they are", "without"])
def test_killed_before_any_step_a_part_is_whole_and_there_once(tmp_path, links):
    done = subprocess.run([sys.executable, "-c", KILLED, links, str(tmp_path)], capture_output=True, text=True)
    steps = int(done.stdout)
    assert steps >= 3, done.stderr
    for step in range(1, steps + 1):
        folder = tmp_path / f"{step:03}"
        assert {path.read_bytes() for path in folder.iterdir() if path.name != raw_sums.NAME} == {b"whole\n"}
        raw.take_over(raw.open_parts(folder))
        assert [path.name for path in folder.glob("part_*")] == ["part_0001.jsonl"]


def test_parts_are_named_and_read_on_exfat(exfat):
    layout = Layout(exfat / "lake")
    parts, lines = Parts(layout.raw_day, 60), Raw(layout)
    for minute in range(3):
        lines_of = [json.dumps(lines.trade(minute + 1, 60 * minute)).encode() + b"\n"]
        parts.append("SOLUSDT", DAY + minute * 60_000_000, lines_of)
        parts.end_slots(DAY + (minute + 1) * 60_000_000)
    assert [path.name for path in raw.open_parts(layout.raw / "SOLUSDT" / "2025-10-20")] == []
    built = transform.run(layout, "SOLUSDT")
    assert (built.hours, built.rows) == (1, 121)


def test_parts_that_cannot_be_named_are_kept_reported_and_tried_again(layout, no_links, monkeypatch):
    parts, minute = Parts(layout.raw_day, 60), 60_000_000
    with monkeypatch.context() as broken:
        broken.setattr(fcntl, "flock", _refused(errno.ENOLCK))
        for number in range(3):
            parts.append("SOLUSDT", DAY + number * minute, [b"%d\n" % number])
            parts.append("ADAUSDT", DAY + number * minute, [b"%d\n" % number])
            with pytest.raises(OSError, match="No locks available"):
                parts.end_slots(DAY + (number + 1) * minute)
            parts.end_slots(DAY + (number + 1) * minute)  # nothing has ended since: no try, and no second report
        assert len(parts.unnamed) == 6
        with pytest.raises(OSError, match="No locks available"):
            parts.close()
    parts.close()
    assert (parts.unnamed, parts.closed) == ([], 6)
    for symbol in ("SOLUSDT", "ADAUSDT"):
        found = {path.name: path.read_bytes() for path in (layout.raw / symbol / "2025-10-20").glob("part_*")}
        assert found == {f"part_000{n + 1}.jsonl": b"%d\n" % n for n in range(3)}


def test_a_disk_that_does_not_know_fsync_is_written_to_and_one_that_fails_is_not(layout, monkeypatch):
    for symbol, number in (("SOLUSDT", errno.EINVAL), ("ADAUSDT", errno.ENOTSUP)):
        monkeypatch.setattr(os, "fsync", _refused(number))
        parts = Parts(layout.raw_day, 60)
        parts.append(symbol, DAY, [b"1\n"])
        parts.close()
        assert (layout.raw / symbol / "2025-10-20" / "part_0001.jsonl").read_bytes() == b"1\n"
        files.write_text(layout.base / "a", "whole")
    monkeypatch.setattr(os, "fsync", _refused(errno.EIO))
    parts.append("SOLUSDT", DAY + 60_000_000, [b"2\n"])
    with pytest.raises(OSError, match="Input/output error"):
        parts.close()


def test_parts_of_another_case_do_not_stop_the_numbering(layout, monkeypatch):
    """On exFAT, NTFS and APFS a ``PART_0002.JSONL`` is in the way of ``part_0002.jsonl``, and no reader lists it."""
    folder = layout.raw / "SOLUSDT" / "2025-10-20"
    place = files.place

    def in_the_way(hidden, path):
        if path.name == "part_0002.jsonl":
            raise FileExistsError
        place(hidden, path)

    monkeypatch.setattr(files, "place", in_the_way)
    assert [raw.add_part(folder, b"x\n").name for _ in range(2)] == ["part_0001.jsonl", "part_0003.jsonl"]


def test_without_a_write_ahead_log_the_ledger_works_by_sqlites_journal(layout, monkeypatch):
    monkeypatch.setattr(sqlite, "has_wal", lambda _: False)
    with ledger.Ledger(layout, "SOLUSDT") as one, ledger.Ledger(layout, "ADAUSDT") as other:
        one.mark_dirty([1])
        other.mark_dirty([2])
        assert (one.dirty(), other.dirty()) == ([1], [2])
    with closing(sqlite.opened(layout.ledger, 1)) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    monkeypatch.undo()
    with closing(sqlite.opened(layout.ledger, 1)) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert sqlite.has_wal(layout.base)
    assert sorted(path.name for path in layout.ledger.parent.iterdir()) == ["binance.sqlite"]


def test_doctor_tries_what_the_lake_needs_of_its_disk(tmp_path, monkeypatch):
    found = doctor_filesystem.able(tmp_path)
    assert (found.state, found.said) == (
        "ok", "names, renames, fsync, locks and SQLite's log work; hard links",
    )  # fmt: skip
    monkeypatch.setattr(os, "link", _refused(errno.EPERM))
    found = doctor_filesystem.able(tmp_path)
    assert found.state == "ok"
    assert found.said.endswith("no hard links: renames with the folder locked instead")
    assert list(tmp_path.iterdir()) == [], "what was tried is gone"
    assert doctor_filesystem.able(tmp_path / "later").state == "ok"
    assert not (tmp_path / "later").exists()


@pytest.mark.parametrize(
    ("module", "name", "number", "state", "words"),
    [
        (os, "fsync", errno.EINVAL, "warn", "no fsync, so a power cut can lose"),
        (fcntl, "flock", errno.ENOLCK, "fail", "no file locks"),
        (fcntl, "flock", errno.EOPNOTSUPP, "fail", "no file locks"),
        (os, "replace", errno.EPERM, "fail", "a rename cannot take the place of a file"),
    ],
)
def test_doctor_says_what_a_disk_lacks_and_what_to_do(tmp_path, monkeypatch, module, name, number, state, words):
    monkeypatch.setattr(module, name, _refused(number))
    found = doctor_filesystem.able(tmp_path)
    assert (found.state, words in found.said) == (state, True), found
    assert found.remedy == "put base_path on a local disk (ext4, xfs, btrfs, APFS, NTFS)"


def test_doctor_on_real_exfat(exfat):
    found = doctor_filesystem.able(exfat)
    assert (found.state, "leaves its folder's time" in found.said) == ("warn", True)
    exfat.parent.chmod(0o755)
    assert doctor_disk.private(exfat).remedy.startswith("the disk has no permissions of its own: mount it with")
