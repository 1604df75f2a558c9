from collector.frames import Event, Kind
from collector.session import RENEW_AFTER_S, SETTLED_AFTER_S, SILENT_AFTER_S, Session, url


def test_only_data_proves_that_a_stream_is_alive():
    session = Session(100.0)
    session.saw(Event(Kind.REPLY), 100.0 + SILENT_AFTER_S)
    assert session.silent(100.1 + SILENT_AFTER_S)
    session.saw(Event(Kind.QUOTE, "SOLUSDT"), 100.0 + SILENT_AFTER_S)
    assert not session.silent(100.1 + SILENT_AFTER_S)


def test_a_successor_is_wanted_before_the_exchange_cuts_the_connection():
    session = Session(0.0)
    assert not session.wants_successor(RENEW_AFTER_S)
    assert session.wants_successor(RENEW_AFTER_S + 1)
    session.saw(Event(Kind.SHUTDOWN), 1.0)
    assert not session.wants_successor(SETTLED_AFTER_S)
    assert session.wants_successor(SETTLED_AFTER_S + 1)


def test_the_address_names_both_streams_of_each_symbol_in_microseconds():
    assert url("wss://x", ["SOLUSDT", "币安人生USDT"]) == (
        "wss://x/stream?streams=solusdt@trade/solusdt@bookTicker/%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9Fusdt@trade/"
        "%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9Fusdt@bookTicker&timeUnit=MICROSECOND"
    )
