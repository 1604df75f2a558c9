"""One line of each format, and the raw line that it becomes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector import markets
from collector.formats import Cryptofeed, UnknownHostError
from collector.frames import Kind, MalformedFrameError, OtherMarketError
from collector.objects import Jsonl
from collector.recordings import FORMATS
from collector.tables import ArchiveAggregates, ArchiveTrades, TardisTrades
from tests.collector.recorded import RECV, quote, trade, usd_m, wrapped

FRAME = wrapped(trade(1001))
RAW = {
    "symbol": "SOLUSDT", "ts_event": 1_760_918_400_119_000, "ts_recv": RECV, "price": "187.31000000",
    "qty": "2.00000000", "side": "buy", "bid": None, "ask": None, "stream": "trade", "trade_id": 1001,
}  # fmt: skip
E_US, T_US = 1_760_918_400_120_000, 1_760_918_400_119_000
WRAPPED = {"raw": json.loads(FRAME)}


def read(name, text, file="SOLUSDT-trades-2025-10-20.csv", **given):
    event = FORMATS[name](file, **given).read(text.encode())
    return json.loads(event.line) if event.line else event.kind


def recognized(text):
    return next((form.name for form in FORMATS.values() if form.fits(text.encode())), None)


@pytest.mark.parametrize(
    ("name", "text", "received"),
    [
        ("hftbacktest", f"1760918400123456789 {FRAME}", RECV),
        ("hftbacktest", f"1760918400123456 {FRAME}", RECV),
        ("hftbacktest", f"1760918400123 {FRAME}", RECV - 456),
        ("hftbacktest", f"1760918400.123456 {FRAME}", RECV),
        ("cryptofeed", f"1760918400.123456: {FRAME}", RECV),
        ("tardis-raw", f"2025-10-20T00:00:00.1234567Z {FRAME}", RECV),
        ("tardis-machine", f'{{"localTimestamp":"2025-10-20T00:00:00.123456Z","message":{FRAME}}}', RECV),
        ("jsonl", FRAME, E_US),
        ("jsonl", json.dumps(trade(1001)), E_US),
        ("jsonl", json.dumps({key: value for key, value in trade(1001).items() if key != "E"}), T_US),
        ("jsonl", json.dumps({"ts": 1760918400.123456, **WRAPPED}), RECV),
        ("jsonl", json.dumps({"ts": RECV, **WRAPPED}), RECV),
        ("jsonl", json.dumps({"ts": None, **WRAPPED}), E_US),
        ("jsonl", json.dumps({"received_at": "2025-10-20T00:00:00.123456Z", "msg": FRAME}), RECV),
        ("jsonl", json.dumps({"timestamp": T_US, "local_timestamp": RECV, "payload": trade(1001)}), RECV),
        ("jsonl", json.dumps({"time_ns": 1, "ts_recv": RECV, "data": trade(1001)}), RECV),
        ("jsonl", json.dumps({"ts": RECV, **json.loads(FRAME)}), RECV),
        ("jsonl", json.dumps({**trade(1001), "ts_recv": RECV}), RECV),
        ("crypto-lake", json.dumps(RAW), RECV),
        ("binance-trades", "1001,187.31000000,2.00000000,374.62000000,1760918400119000,False,True", T_US),
        ("binance-trades", "1001,187.31000000,2.00000000,374.62000000,1760918400119,False,True", T_US),
        ("tardis-trades", f"binance,SOLUSDT,{T_US},{RECV},1001,buy,187.31000000,2.00000000", RECV),
    ],
)
def test_each_format_gives_the_same_raw_line_with_its_receive_time(name, text, received):
    assert read(name, text) == {**RAW, "ts_recv": received}
    header = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount"
    assert recognized(header if name == "tardis-trades" else text) == name


def test_the_archives_aggregates_keep_their_range_of_ids():
    row = "500,187.31000000,2.00000000,1000,1001,1760918400119000,True,True"
    file = "SOLUSDT-aggTrades-2025-10-20.csv"
    expected = {**RAW, "ts_recv": T_US, "side": "sell", "first_trade_id": 1000}
    assert read("binance-aggtrades", row, file) == expected
    assert recognized(row) == "binance-aggtrades"
    assert read("binance-aggtrades", "500,0.0,0.0,-1,-1,1760918400119000,True,True", file) is Kind.OTHER


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("binance-trades", "tardis-trades")])
def test_decimal_text_is_kept_to_its_last_digit(name):
    price = "9999999999.99999999"
    texts = {
        "hftbacktest": f"{RECV} {wrapped(trade(1, price=price))}",
        "cryptofeed": f"1760918400.123456: {wrapped(trade(1, price=price))}",
        "tardis-raw": f"2025-10-20T00:00:00Z {wrapped(trade(1, price=price))}",
        "binance-aggtrades": f"1,{price},1.0,1,1,{T_US},True,True",
        "crypto-lake": json.dumps({**RAW, "price": price}),
    }
    text = texts.get(name, json.dumps({"ts": RECV, "raw": trade(1, price=price)}))
    assert read(name, text, "SOLUSDT-aggTrades-2025-10-20.csv")["price"] == price
    number = json.dumps({"ts": RECV, "raw": {**trade(1), "p": 9999999999.99999999}})
    with pytest.raises(MalformedFrameError, match="no decimal text"):
        read("jsonl", number)


@pytest.mark.parametrize(("written", "exact"), [("9e-7", "0.0000009"), ("1e-8", "0.00000001"), ("187.31", "187.31")])
def test_an_exponent_of_tardis_is_written_out_exactly(written, exact):
    assert read("tardis-trades", f"binance,PEPEUSDT,{T_US},{RECV},1,sell,1.0,{written}")["qty"] == exact


def test_more_decimals_than_the_exchange_has_are_not_rounded():
    with pytest.raises(MalformedFrameError, match=r"q '0\.000000123' is no decimal text"):
        read("tardis-trades", f"binance,PEPEUSDT,{T_US},{RECV},1,sell,1.0,1.23e-7")


def test_a_quote_is_placed_by_its_receive_time_or_not_at_all():
    assert read("jsonl", json.dumps({"ts": RECV, "raw": quote(7)}))["ts_recv"] == RECV
    with pytest.raises(MalformedFrameError, match="a quote without a receive time cannot be placed"):
        read("jsonl", json.dumps(quote(7)))
    raw = read("jsonl", json.dumps({"ts": RECV, "raw": quote(7)}))
    assert read("crypto-lake", json.dumps(raw)) == raw


@pytest.mark.parametrize(
    "text",
    [
        'configuration: {"trades": ["SOL-USDT"]}',
        "wss://stream.binance.com:9443/stream?streams=solusdt@trade <-> 1760918400.0012345",
        'wss://stream.binance.com:9443/ws <- 1760918400.01: {"method":"SUBSCRIBE","params":["a"],"id":1}',
        '1760918400.02: {"result":null,"id":1}',
        'https://api.binance.com/api/v3/depth?symbol=SOLUSDT -> 1760918400.05: {"lastUpdateId":5000,"bids":[]}',
        '1760918400.02: {"lastUpdateId":5000,"bids":[]}',
    ],
)
def test_cryptofeeds_own_lines_are_of_its_format(text):
    assert read("cryptofeed", text) in (Kind.REPLY, Kind.OTHER)
    assert recognized(text) == "cryptofeed"


def test_a_connection_line_tells_the_market_of_the_file():
    form = Cryptofeed("x")
    form.read(b"wss://stream.binance.com:9443/stream <-> 1760918400.1")
    assert form.spot
    with pytest.raises(OtherMarketError, match=markets.US):
        form.read(b"wss://stream.binance.us:9443/stream <-> 1760918400.1")
    with pytest.raises(OtherMarketError, match=markets.USD_M):
        form.read(b"https://fapi.binance.com/fapi/v1/depth -> 1760918400.1: {}")
    with pytest.raises(UnknownHostError, match=r"wss://relay\.example/ws"):
        Cryptofeed("x").read(b"wss://relay.example/ws <-> 1760918400.1")
    assert Cryptofeed("x", spot=True).read(b"wss://relay.example/ws <-> 1760918400.1").kind is Kind.REPLY
    with pytest.raises(OtherMarketError, match=markets.US):
        Cryptofeed("x", spot=True).read(b"wss://stream.binance.us/ws <-> 1760918400.1")


FUTURES = [
    "1001,187.31,2.0,374.62,1760918400119,false",
    "500,187.31,2.0,1000,1001,1760918400119,true",
    "id,price,qty,quote_qty,time,is_buyer_maker",
    "id,price,qty,base_qty,time,is_buyer_maker",
    "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker",
]


@pytest.mark.parametrize("text", FUTURES)
def test_a_csv_of_the_futures_is_recognized_as_one(text):
    name = recognized(text)
    assert name in ("binance-trades", "binance-aggtrades")
    with pytest.raises(OtherMarketError, match="COIN-M" if "base_qty" in text else "USD-M"):
        read(name, text)


@pytest.mark.parametrize(
    "text",
    [
        "id,price,qty,quoteQty,time,isBuyerMaker,isBestMatch",
        "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker,is_best_match",
    ],
)
def test_a_header_of_spots_csv_is_passed_over(text):
    assert read(recognized(text), text) is Kind.REPLY


@pytest.mark.parametrize("exchange", ["binance-futures", "binance-delivery", "binance-us", "coinbase"])
def test_a_row_of_tardis_names_its_exchange(exchange):
    with pytest.raises(OtherMarketError):
        read("tardis-trades", f"{exchange},SOLUSDT,{T_US},{RECV},1001,buy,187.31,2")


@pytest.mark.parametrize("symbol", ["BTCUSD_PERP", "BTCUSDT_240628"])
def test_a_file_of_a_contract_is_refused_by_its_name(symbol):
    with pytest.raises(OtherMarketError, match=symbol):
        ArchiveTrades(f"{symbol}-trades-2025-10-20.csv").read(b"1001,187.31,2.0,374.62,1760918400119,False,True")


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("hftbacktest", f"176091840012 {FRAME}", "receive time '176091840012': 12 digits"),
        ("hftbacktest", f"0000000001 {FRAME}", "not from 2009 to 2099"),
        ("hftbacktest", FRAME, "no receive time"),
        ("jsonl", json.dumps({"ts": "yesterday", **WRAPPED}), "receive time 'yesterday'"),
        ("jsonl", json.dumps({"ts": RECV, "raw": '{"stream":'}), "no JSON"),
        ("jsonl", json.dumps({**trade(1), "m": "false"}), "m 'false' is neither true nor false"),
        ("crypto-lake", json.dumps({**RAW, "side": None}), "neither a trade with its side"),
        ("crypto-lake", json.dumps({**RAW, "price": 187.31}), "no decimal text"),
        ("binance-trades", "1001,187.31,2.0,374.62,yesterday,False,True", "no row of the archive's trades"),
        ("tardis-trades", f"binance,SOLUSDT,{T_US},{RECV},x1,buy,187.31,2", "no trade with its id"),
        ("tardis-trades", f"binance,SOLUSDT,{T_US},{RECV},1,unknown,187.31,2", "the taker's side"),
        ("tardis-trades", f"binance,SOLUSDT,{T_US},{RECV},1,buy,nan,2", "p 'nan' is no decimal text"),
        ("tardis-trades", f"binance,SOLUSDT,{T_US},{RECV},{'1' * 5000},buy,1,2", "no trade with its id"),
        ("tardis-trades", f"binance,SOLUSDT,{T_US},{RECV},{1 << 63},buy,1,2", "is no whole number"),
        ("binance-trades", f"{'1' * 5000},187.31,2.0,374.62,{T_US},False,True", "no row of the archive's trades"),
        ("binance-trades", f"-1,187.31,2.0,374.62,{T_US},False,True", "t '-1' is no whole number"),
        ("jsonl", json.dumps({**trade(1), "E": 10**18}), "not from 2009 to 2099|digits"),
        ("jsonl", json.dumps({**trade(1), "E": 10**17}), "digits"),
        ("jsonl", json.dumps({**trade(1), "E": 1}), "1 digits"),
        ("tardis-trades", f"binance,SOL/USDT,{T_US},{RECV},1,buy,1,2", "SOL/USDT"),
    ],
)
def test_a_line_that_cannot_be_understood_is_refused_with_its_reason(name, text, reason):
    with pytest.raises(MalformedFrameError, match=reason.replace("'", ".")):
        read(name, text)


def test_a_row_that_is_cut_short_is_not_taken_for_a_whole_one():
    row = b"1001,187.31000000,2.00000000,374.62000000,1760918400119000,False,True"
    form = ArchiveTrades("SOLUSDT-trades-2025-10-20.csv")
    assert [length for length in range(len(row) + 1) if form.whole(row[:length])] == [len(row)]
    assert not TardisTrades("x").whole(f"binance,SOLUSDT,{T_US},{RECV},1001,buy,187.31,2".encode())
    row = b"500,187.31000000,2.00000000,1000,1001,1760918400119000,True,True"
    form = ArchiveAggregates("SOLUSDT-aggTrades-2025-10-20.csv")
    assert [length for length in range(len(row) + 1) if form.whole(row[:length])] == [len(row)]


def test_a_frame_that_is_cut_short_is_never_read():
    text = f"{RECV} {FRAME}".encode()
    form = FORMATS["hftbacktest"]("x")
    for length in range(len(text)):
        with pytest.raises(MalformedFrameError):
            form.read(text[:length])


@pytest.mark.parametrize("text", ["hello", "", "{torn", "[1]", "null", "a,b,c", "id,name", "1,2,3", "\x00" * 40])
def test_a_line_of_no_format_is_of_none(text):
    assert recognized(text) is None


@given(st.sampled_from(sorted(FORMATS)), st.one_of(st.binary(max_size=80), st.text(max_size=80).map(str.encode)))
def test_no_line_whatsoever_does_more_than_be_refused(name, text):
    form = FORMATS[name]("SOLUSDT-trades-2025-10-20.csv SOLUSDT-aggTrades-2025-10-20.csv")
    form.fits(text)
    try:
        form.read(text)
    except MalformedFrameError as error:
        assert str(error)


def test_a_frame_of_usd_m_is_recognized_in_every_wrapper():
    for text in (
        json.dumps(usd_m(1)),
        json.dumps({"ts": RECV, "raw": usd_m(1)}),
        json.dumps({"msg": wrapped(usd_m(1))}),
    ):
        with pytest.raises(OtherMarketError, match=markets.USD_M):
            Jsonl("x").read(text.encode())
