"""How every part is, judged by signs of life. The time is passed in; processes are real or said to live."""

import json
import multiprocessing
import re
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import psutil
import pyarrow.parquet as pq
import pytest

from lake import disk, files, health, health_parts, health_report, health_runs, macro_store, signs, transform
from lake.errors import LakeError
from lake.layout import Layout
from lake.signs import Process, Sign
from lake.windows import iso
from tests.conftest import fill
from tests.live import wait

NOW = datetime(2025, 10, 20, 12, tzinfo=UTC)
HERE = Process(4711, 1.0, "here")
COUNTS = {"raw_count_today": 3, "parquet_1s_rows_today": 5, "macro_min_rows_today": 7}
LATENCY = {"last_latency_p50_ms": 42.5, "last_latency_p95_ms": 95.0, "last_seen_ts": iso(NOW)}


def ago(seconds):
    return NOW - timedelta(seconds=seconds)


def standing(part="collector", status="running", age=5, process=HERE, **fields):
    return Sign(part, status, ago(age), process, fields)


def ended(part="transformer", age=60, error=None, **fields):
    told = {"last_run_start": iso(ago(age + 2)), "last_run_end": iso(ago(age)), "last_error": error, "runs": []}
    return Sign(part, "error" if error else "idle", ago(age), HERE, told | fields)


def run(age=60, **process):
    return {"id": "a", "start": iso(ago(age)), "ts_utc": iso(ago(age)), **HERE.to_json(), **process}


def beat(*found, alive=True, now=NOW):
    told = health_parts.heartbeat({sign.part: sign for sign in found}, now, lambda _: alive, COUNTS)
    return health_report.judged(told, now)


def status(found):
    return {name: part["status"] for name, part in health_report.parts(found).items()}


def test_the_heartbeat_has_every_key_of_the_contract_whatever_has_run():
    for found in (beat(), beat(standing(**LATENCY), ended(), ended("macro_minute", last_run_rows_written=9))):
        assert re.fullmatch(r"2025-10-20T12:00:00Z", found["ts_utc"])
        assert {"status", "last_latency_p50_ms", "last_latency_p95_ms", "last_seen_ts"} <= set(found["collector"])
        for name in ("macro_minute", "transformer"):
            assert {"status", "last_run_start", "last_run_end", "last_error"} <= set(found[name])
        assert "last_run_rows_written" in found["macro_minute"]
        assert found["files"] == COUNTS
        assert set(status(found).values()) <= {"starting", "running", "idle", "error", "stopped"}
    assert found["collector"] | LATENCY == found["collector"]
    assert (found["transformer"]["last_run_end"], found["macro_minute"]["last_run_rows_written"]) == (iso(ago(60)), 9)
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(
    ("sign", "alive", "expected"),
    [
        (standing(age=59, **LATENCY), True, "running"),
        (standing(age=59, **LATENCY), None, "running"),
        (standing(age=61), True, "error"),
        (standing(age=61), None, "error"),
        (standing(age=5), False, "error"),
        (standing(age=5, process=None), True, "error"),
        (standing(age=-3600), True, "error"),
        (standing(status="stopped", age=5000), False, "stopped"),
        (standing(status="error", age=5000, last_error="disk full"), False, "error"),
    ],
)
def test_a_collector_runs_only_while_its_sign_is_young_and_its_process_lives(sign, alive, expected):
    assert beat(sign, alive=alive)["collector"]["status"] == expected
    assert beat(Sign("worker", sign.status, sign.ts, sign.process, {}), alive=alive)["worker"]["status"] == expected


def test_nothing_that_died_reads_running_90_seconds_later():
    signs = [standing(**LATENCY), standing("server"), standing("worker"), ended(runs=[run(5, place="elsewhere")])]
    assert set(status(beat(*signs, alive=None)).values()) == {"running", "stopped"}
    assert "running" not in status(beat(*signs, alive=None, now=NOW + timedelta(seconds=90))).values()


@pytest.mark.parametrize(
    ("fields", "expected", "code"),
    [
        ({"started_ts": iso(ago(1))}, "starting", 3),
        ({"started_ts": iso(ago(1)), "last_seen_ts": None}, "starting", 3),
        ({"started_ts": iso(ago(90))}, "starting", 3),
        ({"started_ts": iso(ago(91))}, "error", 1),
        ({"started_ts": iso(ago(91)), "last_seen_ts": iso(ago(90))}, "running", 0),
        ({"started_ts": iso(ago(91)), "last_seen_ts": iso(ago(91))}, "running", 1),
    ],
)
def test_a_collector_that_has_never_received_anything_is_starting_and_after_90_seconds_an_error(fields, expected, code):
    found = beat(standing(**fields))
    assert (found["collector"]["status"], found["exit_code"]) == (expected, code)
    dead = beat(standing(**fields), alive=False)
    assert (dead["collector"]["status"], dead["state"], dead["exit_code"]) == ("error", "ERROR", 2)


def test_a_collector_is_last_seen_when_it_received_something_and_not_when_it_said_a_sign():
    waiting = beat(standing(started_ts=iso(ago(30))))
    assert health_report.last_seen(waiting["collector"]) is None
    assert ("collector", "starting", "–", "") in health_report.rows(waiting)
    assert not health_report.never_ran(waiting)
    assert health_report.last_seen(beat(standing(**LATENCY))["collector"]) == iso(NOW)
    assert health_report.last_seen(beat(standing("server"))["server"]) == iso(ago(5))


def test_a_flow_is_not_behind_while_the_collector_has_not_run_for_as_long_as_it_may_wait():
    """After a night in which the machine was off everything is late, and nothing is wrong."""
    late = ended(age=8 * 3600)
    assert beat(standing(started_ts=iso(ago(1799)), **LATENCY), late)["state"] == "HEALTHY"
    found = beat(standing(started_ts=iso(ago(1801)), **LATENCY), late)
    assert [one["what"] for one in found["problems"]] == ["has not run for 480 minutes"]


@pytest.mark.parametrize(
    ("sign", "up", "alive", "expected"),
    [
        (None, True, True, "stopped"),
        (ended(), True, True, "idle"),
        (ended(), False, True, "stopped"),
        (ended(error="no room"), True, True, "error"),
        (ended(error="no room"), False, True, "error"),
        (ended(runs=[run(7200)]), True, True, "running"),
        (ended(runs=[run(7200)]), False, True, "running"),
        (ended(runs=[run(5)]), True, None, "running"),
        (ended(runs=[run(61)]), True, None, "error"),
    ],
)
def test_a_flow_runs_rests_fails_or_is_not_there(sign, up, alive, expected):
    found = [one for one in (sign, standing() if up else None) if one]
    assert beat(*found, alive=alive)["transformer"]["status"] == expected


def test_a_run_whose_process_died_is_an_error_until_a_run_ends_well():
    fields = {"runs": [run()], "last_run_start": iso(ago(60))}
    dead = beat(Sign("transformer", "running", ago(60), HERE, fields), alive=False)
    assert (dead["transformer"]["status"], dead["transformer"]["last_error"]) == ("error", health_runs.DIED)
    fields = health_runs.begun(fields, run(0) | {"id": "b"}, lambda _: False, NOW)
    assert ([one["id"] for one in fields["runs"]], fields["last_error"]) == (["b"], health_runs.DIED)
    fields = health_runs.over(fields, "b", NOW + timedelta(seconds=3), 11, None)
    assert fields | {"runs": [], "last_error": None, "last_duration_s": 3.0, "last_run_rows_written": 11} == fields
    assert fields["last_success"] == fields["last_run_end"] == iso(NOW + timedelta(seconds=3))


def test_a_run_that_fails_keeps_the_last_success_and_of_two_at_once_both_are_told():
    fields = health_runs.over({"last_success": "then"}, "a", NOW, None, "line one\nline two")
    assert (fields["last_success"], fields["last_error"]) == ("then", "line one line two")
    fields = health_runs.begun(health_runs.begun({}, run(9), lambda _: True, NOW), run(3) | {"id": "b"}, bool, NOW)
    assert [one["id"] for one in health_runs.over(fields, "a", NOW, 1, None)["runs"]] == ["b"]


@pytest.mark.parametrize(
    ("found", "state", "code", "words"),
    [
        ((), "STOPPED", 2, "Nothing has run in this lake yet. crypto-lake up starts it"),
        ((standing(status="stopped"),), "STOPPED", 2, "The collector does not run. crypto-lake up"),
        ((standing(**LATENCY),), "HEALTHY", 0, "nothing is wrong"),
        ((standing(**LATENCY), ended()), "HEALTHY", 0, "nothing is wrong"),
        ((standing(**LATENCY), ended(error="no room")), "ERROR", 1, "transformer: its last run failed: no room"),
        ((standing(**LATENCY), ended("validate_rules", error="FAIL: 3 rows")), "ERROR", 1, "look at the newest report"),
        ((standing(**LATENCY), standing("worker", age=70)), "ERROR", 1, "worker: no sign of life for 70 s"),
        ((standing(**LATENCY), ended(age=1801)), "ERROR", 1, "transformer: has not run for 30 minutes"),
        ((standing(**LATENCY), ended("macro_minute", age=3601)), "ERROR", 1, "has not run for 60 minutes"),
        ((standing(last_seen_ts=iso(ago(91))),), "ERROR", 1, "has received nothing for 91 s"),
        ((standing(started_ts=iso(ago(91))),), "ERROR", 1, "look at the network, and at binance.ws_url"),
        ((standing(started_ts=iso(ago(91))), standing("worker", age=70)), "ERROR", 1, "has received nothing for 91 s"),
        ((standing(started_ts=iso(ago(89))),), "STARTING", 3, "The collector runs, and has received nothing yet."),
        ((standing(started_ts=iso(ago(89))), ended(error="no room")), "ERROR", 1, "its last run failed: no room"),
        ((standing(**LATENCY), ended("slice_export", error="is there already")), "HEALTHY", 0, "nothing is wrong"),
        ((standing(age=70),), "ERROR", 2, "collector: no sign of life for 70 s"),
        ((ended(error="no room"),), "ERROR", 2, "no room. The collector does not run"),
    ],
)
def test_state_and_exit_code_and_a_line_that_says_why(found, state, code, words):
    told = beat(*found)
    page = health_report.markdown(told)
    assert (told["state"], told["exit_code"], page.split()[0]) == (state, code, state)
    assert words in page
    assert all(f"| {one['remedy']} |" in page for one in told["problems"])


DISK = {"free_bytes": 12_345_678, "total_bytes": 10**12, "free_files": 5, "full": True}


def test_a_full_disk_is_an_error_told_first_with_what_to_do():
    told = health_parts.heartbeat({"collector": standing(**LATENCY)}, NOW, lambda _: True, COUNTS)
    full = health_report.judged(told | {"disk": DISK}, NOW)
    assert (full["state"], full["exit_code"]) == ("ERROR", 1)
    assert (full["problems"][0]["part"], full["problems"][0]["what"]) == (
        "disk", "is full: 12.3 MB left, and room for 5 files"
    )  # fmt: skip
    assert "crypto-lake disk shows" in health_report.markdown(full)
    for told_nothing in ({"disk": None}, {"disk": DISK | {"full": False}}):
        assert health_report.judged(told | told_nothing, NOW)["state"] == "HEALTHY"


def test_a_collector_that_cannot_write_what_it_receives_is_an_error_and_runs():
    why = {"unwritten": "SOLUSDT cannot be written (Disk quota exceeded)", "unwritten_since_ts": iso(ago(30))}
    found = beat(standing(waiting=1234, **LATENCY, **why))
    assert (found["state"], found["exit_code"], found["collector"]["status"]) == ("ERROR", 1, "running")
    assert found["problems"][0]["what"] == (
        "SOLUSDT cannot be written (Disk quota exceeded) since 2025-10-20 11:59:30 UTC: 1,234 lines wait in memory"
    )


def test_when_a_disk_fills_up_no_page_goes_on_saying_healthy(small_disk, monkeypatch):
    monkeypatch.setattr(disk, "FULL_BYTES", 4096)
    monkeypatch.setattr(disk, "FULL_INODES", 0)
    layout = Layout(small_disk)
    health.say(layout, "collector", "running", NOW, **LATENCY)
    assert health.write(layout, NOW)["state"] == "HEALTHY"
    assert layout.health_report.read_text().startswith("HEALTHY\n")
    fill(small_disk)
    with suppress(LakeError):
        health.write(layout, NOW)
    assert health.compose(layout, NOW)["state"] == "ERROR"
    assert (health.read(layout) or {"state": "ERROR"})["state"] == "ERROR"
    assert not layout.health_report.exists() or layout.health_report.read_text().startswith("ERROR\n")
    assert not list(small_disk.rglob("*.tmp"))


def test_a_report_that_cannot_be_written_keeps_no_heartbeat_from_being_written(layout):
    files.write_text(layout.reports, "in the way")
    health.say(layout, "collector", "running", NOW, **LATENCY)
    with pytest.raises(LakeError, match=r"health\.md: cannot be written"):
        health.write(layout, NOW)
    assert health.read(layout)["state"] == "HEALTHY"
    assert layout.metrics.exists()


def test_an_error_with_pipes_and_tags_stays_in_its_cell_of_the_report():
    page = health_report.markdown(beat(standing(**LATENCY), ended(error="a|b <script>\nc")))
    assert "its last run failed: a\\|b &lt;script> c | run it again" in page


def test_every_part_that_is_wrong_is_told_with_what_to_do():
    died = beat(*(standing(name) for name in health_parts.STANDING), ended(error="x"), alive=False)
    assert [one["part"] for one in died["problems"]] == ["collector", "transformer", "server", "worker"]
    assert "died: process 4711 is gone" in died["problems"][0]["what"]
    assert all(one["remedy"] for one in died["problems"])


@pytest.fixture
def sleeper():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.wait()


def test_a_killed_process_is_dead_at_once_even_before_its_parent_looks(sleeper):
    found = Process.of(sleeper.pid)
    assert signs.lives(found) is True
    sleeper.kill()
    wait(lambda: psutil.Process(sleeper.pid).status() == psutil.STATUS_ZOMBIE)
    assert signs.lives(found) is False, "a zombie has ended"
    sleeper.wait()
    assert signs.lives(found) is False


def test_another_process_with_the_same_id_is_no_life_and_one_in_another_container_is_not_known(sleeper):
    found = Process.of(sleeper.pid)
    assert signs.lives(Process(found.pid, found.started - 60, found.place)) is False
    assert signs.lives(Process(found.pid, found.started, "another container")) is None
    assert Process.of(2**22 + 1) is None


def test_a_sign_is_read_as_it_was_said_and_one_that_is_torn_is_none(layout):
    health.say(layout, "collector", "running", NOW, trades=5)
    found = signs.read(layout)["collector"]
    assert (found.status, found.ts, found.fields) == ("running", NOW, {"trades": 5})
    assert signs.lives(found.process) is True
    for torn in (b"", b"[]", b'{"status": "running"}', b'{"status": "running", "ts_utc": "soon"}', b"\xff"):
        signs.path(layout, "collector").write_bytes(torn)
        assert signs.read(layout) == {}
        assert health.compose(layout, NOW)["collector"]["status"] == "stopped"


@pytest.mark.parametrize(
    "told",
    [
        {"runs": 5}, {"runs": [{"id": "x", "start": 7, "ts_utc": "x"}]}, {"last_run_end": 7}, {"last_seen_ts": "soon"},
        {"started_ts": "2025-10-20T12:00:00"}, {"last_latency_p50_ms": "x", "last_latency_p95_ms": 1}, {"waiting": []},
    ],
)  # fmt: skip
def test_a_sign_that_tells_nonsense_is_none_and_keeps_nobody_from_the_others(layout, told):
    for part in ("collector", "transformer"):
        health.say(layout, part, "running", NOW, **told)
    health.say(layout, "server", "running", NOW)
    found = health.write(layout, NOW)
    assert [found[part]["status"] for part in ("collector", "transformer", "server")] == [
        "stopped",
        "stopped",
        "running",
    ]


def test_composing_writes_nothing(layout):
    assert health.compose(layout, NOW)["state"] == "STOPPED"
    assert not layout.base.exists()


def test_what_came_today_is_counted(layout, raw):
    raw.put(*(raw.trade(number, 3600 + number) for number in range(1, 5)))
    raw.put(raw.trade(5, 7205))
    transform.run(layout, "SOLUSDT")
    minutes = {int(NOW.timestamp() + 60 * number) * 1_000_000: (1.0,) * 5 for number in range(3)}
    macro_store.store(layout, "SPY", minutes, "snappy")
    (layout.macro / "not a ticker").mkdir()
    rows = sum(pq.read_metadata(path).num_rows for path in layout.parquet.rglob("*.parquet"))
    expected = {"raw_count_today": 2, "parquet_1s_rows_today": rows, "macro_min_rows_today": 3}
    assert health.compose(layout, NOW)["files"] == expected
    assert rows >= 5
    assert set(health.compose(layout, NOW + timedelta(days=1))["files"].values()) == {0}
    layout.macro_file("SPY", NOW.date()).write_bytes(b"torn")
    assert health.compose(layout, NOW)["files"] == expected | {"macro_min_rows_today": 0}


KEYS = {
    "ts_utc", "collector", "macro_minute", "transformer", "server", "worker", "flows", "files", "disk", "verified",
    "state", "exit_code", "problems",
}  # fmt: skip


def _hammer(layout, ready, over, result):
    reads, bad = 0, []
    while not over.is_set():
        try:
            found = json.loads(layout.heartbeat.read_bytes())
            word = layout.health_report.read_text().split()[0]
            if set(found) != KEYS or word not in ("HEALTHY", "STARTING", "ERROR", "STOPPED"):
                bad.append((sorted(found), word))
        except (ValueError, IndexError, OSError) as error:
            bad.append(repr(error))
        reads += 1
        ready.set()
    result.put((reads, bad[:3]))


@pytest.mark.slow
def test_a_hammering_reader_never_sees_half_a_heartbeat(layout):
    """Two processes read while two threads write 500 times; a plain write in place fails this within some reads."""
    health.write(layout, NOW)
    context = multiprocessing.get_context("spawn")
    over, result = context.Event(), context.Queue()
    readies = [context.Event() for _ in range(2)]
    readers = [context.Process(target=_hammer, args=(layout, ready, over, result)) for ready in readies]
    for reader in readers:
        reader.start()
    assert all(ready.wait(60) for ready in readies)
    failed = Event()

    def writing(first):
        try:
            for number in range(250):
                health.say(layout, "collector", "running", NOW, note="x" * (number % 50 * 40))
                health.write(layout, NOW + timedelta(seconds=first + number % 60))
        except Exception:
            failed.set()
            raise

    writers = [Thread(target=writing, args=(first,)) for first in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    over.set()
    found = [result.get(timeout=60) for _ in readers]
    for reader in readers:
        reader.join()
    assert not failed.is_set()
    assert all(reads > 100 and not bad for reads, bad in found), found
    assert not list(layout.health.rglob("*.tmp"))


def test_a_folder_that_cannot_be_written_is_one_line(layout):
    files.write_text(layout.base / "logs", "in the way")
    with pytest.raises(health.LakeError, match="cannot be written"):
        health.say(layout, "collector", "running", NOW)
