"""What cannot be read costs itself alone, and is kept with its place and reason."""

import json

import pytest

from lake import transform
from tests.conftest import DAY
from tests.lake.test_transform import at, built

BAD = {
    b'{"symbol":"SOLUSDT","ts_ev': "no whole JSON object",
    b"\0\0\0\0": "no whole JSON object",
    b'\xff\xfe{"symbol"': "no whole JSON object",
    b"[1,2]": "no whole JSON object",
    b"null": "no whole JSON object",
}
BAD_VALUES = {
    "price": [(value, "price") for value in (5.5, "abc", "0", "-1.0", "1.123456789", None, "1e3")],
    "qty": [(value, "qty") for value in (12345678.12, "", "0.00000000", "NaN", "99999999999999999999.0")],
    "side": [("BUY", "side"), (None, "side")],
    "symbol": [("BTCUSDT", "symbol"), (None, "symbol")],
    "ts_event": [(None, "ts_event"), (DAY // 1000, "ts_event"), (DAY + 10 * 86_400_000_000, "ts_event")],
    "ts_recv": [("x", "ts_recv"), (-1, "ts_recv"), (None, "ts_recv")],
    "trade_id": [(value, "trade_id") for value in (None, "x", -1, 2**62, 2**63 - 1)],
    "first_trade_id": [(5, "trade_id"), (-(10**7), "trade_id")],
    "stream": [("kline", "stream"), (None, "stream")],
}  # fmt: skip


@pytest.mark.parametrize("bad", BAD)
def test_a_torn_line_costs_that_line_alone_and_is_kept_with_file_offset_and_reason(layout, raw, bad):
    first = json.dumps(raw.trade(1, 1)).encode() + b"\n"
    part = raw.put(first, b"\n", bad + b"\n", raw.trade(2, 2), b"  \n", bad)
    assert transform.run(layout, "SOLUSDT").quarantined == 2
    assert sum(bar["trade_count"] for bar in built(layout).values()) == 2
    kept = [json.loads(line) for line in (layout.quarantine / part.relative_to(layout.base)).read_text().splitlines()]
    assert [(record["file"], record["offset"]) for record in kept] == [
        (part.relative_to(layout.base).as_posix(), len(first) + 1),
        (part.relative_to(layout.base).as_posix(), part.stat().st_size - len(bad)),
    ]
    assert kept[0]["reason"].startswith(BAD[bad])


@pytest.mark.parametrize(("key", "value", "reason"), [(k, v, r) for k, pairs in BAD_VALUES.items() for v, r in pairs])
def test_a_line_with_a_value_that_cannot_be_is_quarantined_by_name(layout, raw, key, value, reason):
    part = raw.put(raw.trade(1, 1), {**raw.trade(2, 2), key: value}, raw.trade(3, 3))
    transform.run(layout, "SOLUSDT")
    assert sorted(built(layout)) == [at(1), at(3)]
    (record,) = map(json.loads, (layout.quarantine / part.relative_to(layout.base)).read_text().splitlines())
    assert reason in record["reason"]


def test_a_line_of_megabytes_does_not_take_its_part_with_it(layout, raw):
    part = raw.put(raw.trade(1, 1), b'{"symbol":"' + b"x" * 20_000_000 + b'"}\n', raw.trade(2, 2), b"torn\n")
    assert transform.run(layout, "SOLUSDT").quarantined == 2
    assert len(built(layout)) == 2
    kept = [json.loads(line) for line in (layout.quarantine / part.relative_to(layout.base)).read_text().splitlines()]
    assert kept[1]["offset"] == part.stat().st_size - 5
