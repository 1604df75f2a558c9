import errno
import shutil

import pytest

from collector.writer import Parts, by_slot
from lake import raw_sums
from tests.conftest import DAY

SECOND = 1_000_000


def names(layout, symbol="SOLUSDT"):
    return sorted(
        path.relative_to(layout.raw).as_posix()
        for path in layout.raw.rglob("*")
        if path.is_file() and path.name != raw_sums.NAME
    )


def test_a_part_has_its_name_only_when_it_is_whole(layout):
    parts = Parts(layout.raw_day, 60)
    parts.append("SOLUSDT", DAY, [b"1\n"])
    assert names(layout) == ["SOLUSDT/2025-10-20/.part_0001.jsonl.open"]
    parts.end_slots(DAY + 60 * SECOND)
    assert names(layout) == ["SOLUSDT/2025-10-20/part_0001.jsonl"]


def test_numbering_goes_on_after_a_restart_and_nothing_is_overwritten(layout):
    for text in (b"1\n", b"2\n"):
        parts = Parts(layout.raw_day, 60)
        parts.append("SOLUSDT", DAY, [text])
        parts.close()
    folder = layout.raw / "SOLUSDT" / "2025-10-20"
    assert [(p.name, p.read_bytes()) for p in sorted(folder.glob("part_*"))] == [
        ("part_0001.jsonl", b"1\n"),
        ("part_0002.jsonl", b"2\n"),
    ]


def test_midnight_begins_a_new_folder_even_within_a_slot(layout):
    parts = Parts(layout.raw_day, 7 * 3600)
    parts.append("SOLUSDT", DAY - 1, [b"1\n"])
    parts.append("SOLUSDT", DAY, [b"2\n"])
    parts.close()
    assert names(layout) == ["SOLUSDT/2025-10-19/part_0001.jsonl", "SOLUSDT/2025-10-20/part_0001.jsonl"]


def test_lines_that_could_not_be_written_leave_no_torn_line_and_can_be_given_again(layout):
    parts = Parts(layout.raw_day, 60)
    parts.append("SOLUSDT", DAY, [b"first\n"])
    part = parts._open["SOLUSDT"]

    class Full:
        def __init__(self, handle):
            self.handle, self.left = handle, 3

        def write(self, data):
            if self.left == 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            take, self.left = data[: self.left], 0
            return self.handle.write(take)

        def __getattr__(self, name):
            return getattr(self.handle, name)

    whole, part.handle = part.handle, Full(part.handle)
    with pytest.raises(OSError, match="No space"):
        parts.append("SOLUSDT", DAY, [b"second\n"])
    part.handle = whole
    parts.append("SOLUSDT", DAY, [b"second\n"])
    parts.close()
    assert (layout.raw / "SOLUSDT" / "2025-10-20" / "part_0001.jsonl").read_bytes() == b"first\nsecond\n"


def test_lines_are_cut_at_slots_and_at_midnight():
    lines = [(DAY - 2, b"1"), (DAY - 1, b"2"), (DAY, b"3"), (DAY + 61 * SECOND, b"4")]
    assert list(by_slot(lines, 60 * SECOND)) == [(DAY - 2, [b"1", b"2"]), (DAY, [b"3"]), (DAY + 61 * SECOND, [b"4"])]


def test_closing_a_part_never_overwrites_one_of_the_same_number(layout):
    parts = Parts(layout.raw_day, 60)
    parts.append("SOLUSDT", DAY, [b"mine\n"])
    folder = layout.raw / "SOLUSDT" / "2025-10-20"
    (folder / "part_0001.jsonl").write_bytes(b"theirs\n")
    parts.close()
    found = {path.name: path.read_bytes() for path in folder.glob("part_*")}
    assert found == {"part_0001.jsonl": b"theirs\n", "part_0002.jsonl": b"mine\n"}


def test_a_part_whose_folder_has_gone_does_not_keep_the_next_from_being_written(layout):
    parts = Parts(layout.raw_day, 60)
    parts.append("SOLUSDT", DAY, [b"1\n"])
    shutil.rmtree(layout.raw)
    with pytest.raises(OSError, match="No such file"):
        parts.end_slots(DAY + 60 * SECOND)
    parts.append("SOLUSDT", DAY + 60 * SECOND, [b"2\n"])
    parts.close()
    assert [path.read_bytes() for path in layout.raw.rglob("part_*")] == [b"2\n"]
