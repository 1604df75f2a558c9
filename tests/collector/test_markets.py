"""Which market a frame, a host or a name is of."""

import json

import pytest

from collector import markets
from collector.buffer import Buffer
from collector.frames import Kind, MalformedFrameError, OtherMarketError, parse

RECV = 1_760_918_400_000_000
USD_M_TRADE = {
    "e": "trade", "E": 1760918400002, "T": 1760918400000, "s": "SOLUSDT", "t": 9, "p": "186.5000", "q": "10",
    "X": "MARKET", "m": False,
}  # fmt: skip
USD_M_QUOTE = {
    "e": "bookTicker", "u": 77, "s": "SOLUSDT", "b": "1.0", "B": "5", "a": "2.0", "A": "6", "T": 1760918400900,
    "E": 1760918400901,
}  # fmt: skip
SPOT_QUOTE = {"u": 9, "s": "SOLUSDT", "b": "1.0", "B": "3.0", "a": "1.1", "A": "4.0"}
SPOT_AGGREGATE = {
    "e": "aggTrade", "E": 1760918400001, "s": "SOLUSDT", "a": 1, "p": "1.5", "q": "2.0", "f": 5, "l": 7,
    "T": 1760918400000, "m": True, "M": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("data", "market"),
    [
        (USD_M_TRADE, markets.USD_M),
        ({**USD_M_TRADE, "X": "NA", "p": "0", "q": "0"}, markets.USD_M),
        (USD_M_QUOTE, markets.USD_M),
        ({**USD_M_QUOTE, "s": "BTCUSD_PERP", "ps": "BTCUSD"}, markets.COIN_M),
        ({**USD_M_TRADE, "s": "BTCUSD_PERP"}, markets.COIN_M),
        ({**USD_M_TRADE, "s": "BTCUSD_240628"}, markets.COIN_M),
        ({**USD_M_TRADE, "s": "BTCUSDT_240628"}, markets.USD_M),
        ({"e": "depthUpdate", "s": "SOLUSDT", "U": 1, "u": 2, "pu": 0, "b": [], "a": []}, markets.USD_M),
        ({"e": "markPriceUpdate", "s": "SOLUSDT", "p": "1"}, markets.USD_M),
        ({"e": "trade", "s": "BTC-200630-9000-P", "t": 1, "p": "1", "q": "1"}, markets.OPTIONS),
    ],
)
@pytest.mark.parametrize("stream", ["{}@trade", "{}@bookTicker", None])
def test_a_frame_of_another_market_is_never_taken_for_one_of_spot(data, market, stream):
    frame = data if stream is None else {"stream": stream.format(data["s"].lower()), "data": data}
    with pytest.raises(OtherMarketError, match=market):
        parse(json.dumps(frame), RECV)


def test_the_collector_quarantines_a_frame_of_the_futures_with_its_reason():
    buffer = Buffer(["SOLUSDT"])
    assert buffer.take(json.dumps({"stream": "solusdt@trade", "data": USD_M_TRADE}), RECV) is None
    lines, bad = buffer.hand_out()
    assert (lines, buffer.trades, buffer.quarantined) == ({}, 0, 1)
    assert json.loads(bad[0][1])["reason"] == "a trade of Binance USD-M futures"


def test_frames_of_spot_are_of_spot():
    assert markets.of_payload(SPOT_QUOTE) is None
    assert markets.of_payload(SPOT_AGGREGATE) is None
    assert markets.of_payload({"e": "executionReport", "X": "FILLED", "s": "SOLUSDT"}) is None


def test_an_aggregate_of_usd_m_has_no_more_sign_than_that_m_is_missing():
    usd_m = {key: value for key, value in SPOT_AGGREGATE.items() if key != "M"}
    event = parse(json.dumps(usd_m), RECV)
    assert (event.kind, event.spot) == (Kind.TRADE, False)
    assert parse(json.dumps(SPOT_AGGREGATE), RECV).spot


@pytest.mark.parametrize(("price", "qty"), [("0", "1.0"), ("0.00000000", "1.0"), ("1.0", "0.000")])
def test_a_price_or_quantity_of_zero_is_no_trade(price, qty):
    with pytest.raises(MalformedFrameError, match="is not above 0"):
        parse(json.dumps({**SPOT_AGGREGATE, "e": "trade", "t": 1, "p": price, "q": qty}), RECV)


@pytest.mark.parametrize(
    ("url", "market"),
    [
        ("wss://stream.binance.com:9443/stream?streams=a", markets.SPOT),
        ("wss://stream.binance.com/ws", markets.SPOT),
        ("wss://data-stream.binance.vision/stream", markets.SPOT),
        ("https://api.binance.com/api/v3/depth?symbol=SOLUSDT", markets.SPOT),
        ("https://api4.binance.com/api/v3/depth", markets.SPOT),
        ("https://www.binance.com/api/v1/depth", markets.SPOT),
        ("wss://stream.binance.us:9443/stream", markets.US),
        ("https://api.binance.us/api/v3/depth", markets.US),
        ("wss://fstream.binance.com/public/stream", markets.USD_M),
        ("wss://fstream-auth.binance.com/stream", markets.USD_M),
        ("https://fapi.binance.com/fapi/v1/depth", markets.USD_M),
        ("https://www.binance.com/fapi/v1/depth", markets.USD_M),
        ("wss://dstream.binance.com/stream", markets.COIN_M),
        ("https://dapi.binance.com/dapi/v1/depth", markets.COIN_M),
        ("wss://nbstream.binance.com/eoptions/ws", markets.OPTIONS),
        ("wss://stream.testnet.binance.vision/ws", "a Binance test network"),
        ("wss://testnet.binance.vision/stream", "a Binance test network"),
        ("wss://stream.binancefuture.com/ws", "a Binance test network"),
        ("wss://demo-stream.binance.com/ws", "a Binance test network"),
        ("wss://ws-feed.exchange.coinbase.com", None),
        ("ws://127.0.0.1:9443/stream", None),
        ("wss://stream.binance.com.evil.example/ws", None),
        ("wss://[::1/ws", None),
    ],
)
def test_a_host_tells_its_market(url, market):
    assert markets.of_host(url) == market


@pytest.mark.parametrize(
    ("name", "market"),
    [
        ("BINANCE.ws.1.0", None),
        ("BINANCE_US.ws.1.1", markets.US),
        ("BINANCE_FUTURES.ws.3.0", markets.USD_M),
        ("BINANCE_DELIVERY.ws.3.0", markets.COIN_M),
        ("binance-futures_trades_2025-10-20_SOLUSDT.csv.gz", markets.USD_M),
        ("binance-us", markets.US),
        ("binance", None),
        ("binance_trades_2025-10-20_SOLUSDT.csv", None),
        ("binance_usdt_pairs.gz", None),
        ("solusdt_20251020.gz", None),
    ],
)
def test_a_recorders_file_name_tells_its_exchange(name, market):
    assert markets.of_name(name) == market
