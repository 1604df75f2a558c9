import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.frames import Kind, MalformedFrameError, parse

RECV = 1_760_918_400_000_000
TRADE = {
    "e": "trade",
    "E": 1760918400001,
    "s": "SOLUSDT",
    "t": 7,
    "p": "1.50000000",
    "q": "2.0",
    "T": 1760918399999,
    "m": True,
    "M": True,
}
QUOTE = {"u": 9, "s": "SOLUSDT", "b": "1.0", "B": "3.0", "a": "1.1", "A": "4.0"}  # fmt: skip


def frame(data, stream="solusdt@trade"):
    return json.dumps({"stream": stream, "data": data})


def test_a_trade_becomes_the_raw_line_of_the_contract():
    event = parse(frame(TRADE), RECV)
    assert json.loads(event.line) == {
        "symbol": "SOLUSDT", "ts_event": 1760918399999000, "ts_recv": RECV, "price": "1.50000000", "qty": "2.0",
        "side": "sell", "bid": None, "ask": None, "stream": "trade", "trade_id": 7,
    }  # fmt: skip
    assert event.line.endswith(b"}\n")


def test_a_spot_quote_has_no_time_of_its_own():
    line = json.loads(parse(frame(QUOTE, "solusdt@bookTicker"), RECV).line)
    assert (line["ts_event"], line["ts_recv"], line["bid"], line["ask_qty"], line["update_id"]) == (
        None,
        RECV,
        "1.0",
        "4.0",
        9,
    )


def test_milliseconds_and_microseconds_are_told_apart():
    assert parse(frame({**TRADE, "T": 1760918399999123}), RECV).ts_event == 1760918399999123


def test_the_taker_buys_when_the_buyer_is_not_the_maker():
    assert json.loads(parse(frame({**TRADE, "m": False}), RECV).line)["side"] == "buy"


def test_an_aggregate_keeps_the_range_of_its_ids_and_a_tombstone_is_no_trade():
    data = {**TRADE, "e": "aggTrade", "a": 1, "f": 5, "l": 7}
    line = json.loads(parse(frame(data, "solusdt@aggTrade"), RECV).line)
    assert (line["first_trade_id"], line["trade_id"], line["stream"]) == (5, 7, "trade")
    assert parse(frame({**data, "f": -1, "l": -1, "p": "0", "q": "0"}, "solusdt@aggTrade"), RECV).kind is Kind.OTHER


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (json.dumps(TRADE), Kind.TRADE),
        (json.dumps(QUOTE), Kind.QUOTE),
        ('{"e":"serverShutdown","E":1}', Kind.SHUTDOWN),
        ('{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}', Kind.SHUTDOWN),
        ('{"result":null,"id":1}', Kind.REPLY),
        (frame({"lastUpdateId": 1, "bids": []}, "solusdt@depth20"), Kind.OTHER),
        (frame({"e": "blockTrade", "t": 1}, "solusdt@blockTrade"), Kind.OTHER),
        ('{"stream":"x","data":[1]}', Kind.OTHER),
        ("{}", Kind.OTHER),
    ],
)
def test_each_message_is_known_for_what_it_is(text, kind):
    assert parse(text, RECV).kind is kind


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"stream":"solusdt@trade","da', "no JSON"),
        (b"\x00\xff", "no JSON"),
        ("[1]", "no JSON object"),
        (frame({k: v for k, v in TRADE.items() if k != "t"}), "'t' is missing"),
        (frame({**TRADE, "p": 1.5}), "p '1.5' is no decimal text"),
        (frame({**TRADE, "p": "1e5"}), "p '1e5' is no decimal text"),
        (frame({**TRADE, "t": "7"}), "t '7' is no whole number"),
        (frame({**TRADE, "t": True}), "t 'True' is no whole number"),
        (frame({**TRADE, "s": "../../x"}), "'../../x'"),
        (frame({**QUOTE, "b": None}, "solusdt@bookTicker"), "b 'None' is no decimal text"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_reason(text, reason):
    with pytest.raises(MalformedFrameError, match=reason.replace(".", r"\.")):
        parse(text, RECV)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*TRADE, *QUOTE, "stream", "data"]), inner),
)


@given(st.one_of(st.binary(max_size=60), st.text(max_size=60), ANYTHING.map(json.dumps)))
def test_no_frame_whatsoever_does_more_than_be_refused(text):
    try:
        parse(text, RECV)
    except MalformedFrameError as error:
        assert str(error)


def test_each_recorded_frame_is_a_trade_a_quote_or_known_to_be_neither(realdata):
    with gzip.open(realdata / "binance_ws" / "hftbacktest_spot_btcusdt_20230405.dat.gz", "rt") as recording:
        kinds = [parse(text, int(time)).kind for time, _, text in (line.partition(" ") for line in recording)]
    assert [kinds.count(kind) for kind in (Kind.TRADE, Kind.QUOTE, Kind.OTHER)] == [3144, 8015, 3929]
