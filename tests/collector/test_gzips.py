"""What of a gzip can be believed: each fault as recorders, kills and disks make it."""

import gzip
import io
import random

import pytest

from collector import gzips
from collector.members import State
from tests.collector.recorded import line, trade

LINES = [line(trade(number, number, price=f"187.{number * 7919 % 10**8:08d}"), number) for number in range(700)]
FIRST, SECOND = ("".join(part).encode() for part in (LINES[:400], LINES[400:]))
TEXT = FIRST + SECOND


def packed(text, name=""):
    buffer = io.BytesIO()
    with gzip.GzipFile(name, "wb", fileobj=buffer, mtime=0) as file:
        file.write(text)
    return buffer.getvalue()


def looked(tmp_path, data):
    """The stretches, and what each readable one unpacks to."""
    path = tmp_path / "x.gz"
    path.write_bytes(data)
    found = gzips.look(path, lambda _: None)
    assert [one.start for one in found] == sorted(one.start for one in found)
    texts = [b"".join(gzips.unpack(path, one, lambda _: None)) if one.readable else b"" for one in found]
    return [one.state for one in found], texts, found


@pytest.mark.parametrize("name", ["", "solusdt_20251020"])
def test_a_whole_file_is_whole_in_one_member_or_several(tmp_path, name):
    assert looked(tmp_path, packed(TEXT, name))[:2] == ([State.WHOLE], [TEXT])
    assert looked(tmp_path, packed(FIRST, name) + packed(SECOND, name))[:2] == ([State.WHOLE] * 2, [FIRST, SECOND])
    assert looked(tmp_path, packed(b"") + packed(TEXT))[:2] == ([State.WHOLE] * 2, [b"", TEXT])


def test_zeros_after_the_end_are_padding(tmp_path):
    assert looked(tmp_path, packed(TEXT) + bytes(3))[:2] == ([State.WHOLE], [TEXT])
    assert looked(tmp_path, packed(FIRST) + bytes(512) + packed(SECOND) + bytes(512))[0] == [State.WHOLE] * 2


@pytest.mark.parametrize("missing", [1, 8, 9, 200, 5000])
def test_of_a_file_that_is_cut_off_all_is_read_up_to_the_cut(tmp_path, missing):
    whole = packed(TEXT)
    states, (text,), (found,) = looked(tmp_path, whole[:-missing])
    assert states == [State.CUT]
    assert TEXT.startswith(text)
    assert len(TEXT) - len(text) < missing * 40
    assert (found.upto, found.lines) == (len(whole) - missing, text.count(b"\n"))


def test_no_cut_anywhere_gives_a_byte_that_was_not_written(tmp_path):
    whole = packed(TEXT)
    for size in random.Random(1).sample(range(10, len(whole)), 200):
        _, texts, _ = looked(tmp_path, whole[:size])
        assert all(TEXT.startswith(text) for text in texts)


def test_a_recorder_that_was_killed_and_started_again_appends(tmp_path):
    cut = packed(FIRST)[:-300]
    states, texts, found = looked(tmp_path, cut + packed(SECOND))
    assert states == [State.CUT, State.WHOLE]
    assert FIRST.startswith(texts[0])
    assert len(texts[0]) > len(FIRST) - 20_000
    assert (texts[1], found[0].end) == (SECOND, len(cut))


def test_a_recorder_that_was_killed_at_once_leaves_a_header_alone(tmp_path):
    header = packed(b"")[:10]
    for kills in (1, 3):
        states, texts, _ = looked(tmp_path, packed(FIRST)[:-300] + header * kills + packed(SECOND))
        assert states == [State.CUT] * (1 + kills) + [State.WHOLE]
        assert FIRST.startswith(texts[0])
        assert texts[-1] == SECOND
    assert looked(tmp_path, packed(FIRST)[:-300] + header)[0] == [State.CUT] * 2


def test_one_that_writes_over_the_beginning_of_an_older_file_leaves_its_rest_unreadable(tmp_path):
    old, new = packed(TEXT), packed(FIRST[:40_000])
    assert len(new) < len(old)
    states, texts, found = looked(tmp_path, new + old[len(new) :])
    assert states == [State.WHOLE, State.FOREIGN]
    assert texts[0] == FIRST[:40_000]
    assert (found[1].start, found[1].end) == (len(new), len(old))
    states, texts, _ = looked(tmp_path, new + old[len(new) :] + packed(SECOND))
    assert states == [State.WHOLE, State.FOREIGN, State.WHOLE]
    assert texts[2] == SECOND


@pytest.mark.parametrize("zeros", [8, 4096, 200_000])
def test_the_zeros_that_a_power_cut_leaves_are_not_unpacked(tmp_path, zeros):
    cut = packed(FIRST)[:-300]
    states, (text,), _ = looked(tmp_path, cut + bytes(zeros))
    assert states == [State.CUT]
    assert FIRST.startswith(text)
    assert len(text) > len(FIRST) - 20_000
    states, texts, _ = looked(tmp_path, cut + bytes(zeros) + packed(SECOND))
    assert states == [State.CUT, State.WHOLE]
    assert (FIRST.startswith(texts[0]), texts[1]) == (True, SECOND)


@pytest.mark.parametrize("members", [1, 2])
def test_a_flipped_bit_never_gives_a_line_that_was_not_written(tmp_path, members):
    """Nor does it cost the other member."""
    whole = packed(TEXT) if members == 1 else packed(FIRST) + packed(SECOND)
    written = set(TEXT.split(b"\n"))
    for bit in random.Random(2).sample(range(len(whole) * 8), 500):
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        states, texts, _ = looked(tmp_path, bytes(data))
        assert set(b"".join(texts).split(b"\n")) <= written, bit
        assert members == 1 or State.WHOLE in states, bit


@pytest.mark.parametrize("padding", [0, 512])
def test_a_damaged_member_whose_end_is_missed_is_not_taken_for_one_that_is_cut_off(tmp_path, padding):
    whole = packed(TEXT)
    for bit in range((len(whole) - 8) * 8 - 300, (len(whole) - 8) * 8):
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        states, texts, _ = looked(tmp_path, bytes(data) + bytes(padding))
        assert states == [State.DAMAGED] or texts == [TEXT], bit  # the last byte has bits that mean nothing


def test_bytes_of_another_kind_in_the_middle_spoil_their_member_alone(tmp_path):
    data = bytearray(packed(FIRST) + packed(SECOND))
    data[2000:2200] = b"\xaa" * 200
    states, texts, found = looked(tmp_path, bytes(data))
    assert states == [State.DAMAGED, State.WHOLE]
    assert texts[1] == SECOND
    assert found[0].reason
