"""The messages of the stream port: the exchange's replies and error bodies."""

import json

import pytest

from simulator.commands import PathError, Session, TooManyStreamsError, answer, open_path


def ask(session, **message):
    return json.loads(answer(session, json.dumps(message)))


def test_paths_open_raw_and_combined_sessions():
    raw, empty, combined = (
        open_path("/ws/a@trade"),
        open_path("/ws"),
        open_path("/stream?streams=a@trade/b@aggTrade&timeUnit=MICROSECOND"),
    )
    assert (raw.combined, list(raw.streams), raw.micro) == (False, ["a@trade"], False)
    assert (empty.combined, list(empty.streams)) == (False, [])
    assert (combined.combined, list(combined.streams), combined.micro) == (True, ["a@trade", "b@aggTrade"], True)
    assert list(open_path("/ws/%E5%B8%81usdt@trade").streams) == ["币usdt@trade"]


@pytest.mark.parametrize("path", ["/", "/wss/a@trade", "/ws/a@trade?timeUnit=NANO", "/streams"])
def test_other_paths_are_refused(path):
    with pytest.raises(PathError):
        open_path(path)


def test_subscribing_listing_and_unsubscribing():
    session = Session(combined=False)
    assert ask(session, method="SUBSCRIBE", params=["a@trade", "b@trade"], id=1) == {"result": None, "id": 1}
    assert ask(session, method="UNSUBSCRIBE", params=["a@trade", "never"], id="x") == {"result": None, "id": "x"}
    assert ask(session, method="LIST_SUBSCRIPTIONS", id=None) == {"result": ["b@trade"], "id": None}


def test_properties():
    session = Session(combined=False)
    assert ask(session, method="SET_PROPERTY", params=["combined", True], id=5) == {"result": None, "id": 5}
    assert ask(session, method="GET_PROPERTY", params=["combined"], id=6) == {"result": True, "id": 6}
    assert session.combined


@pytest.mark.parametrize(
    ("message", "code", "text"),
    [
        ("{", 3, "Invalid JSON: expected value at line 1 column 2"),
        ('{"id":1}', 2, "missing field `method`"),
        ('{"method":"SUBSCRIBE","params":["a"],"id":1.5}', 2, "request ID must be an unsigned integer"),
        ('{"method":"SUBSCRIBE","params":["a"]}', 2, "request ID must be an unsigned integer"),
        ('{"method":"NO","params":["a"],"id":1}', 2, "unknown variant `NO`"),
        ('{"method":"SUBSCRIBE","params":["a"],"id":1,"x":2}', 2, "too many parameters"),
        ('{"method":"GET_PROPERTY","params":["x"],"id":1}', 0, "Unknown property"),
        ('{"method":"GET_PROPERTY","params":[1],"id":1}', 2, "property name must be a string"),
        ('{"method":"SET_PROPERTY","params":["combined","yes"],"id":1}', 1, "expected Boolean"),
        ("[1]", 2, "missing field"),
    ],
)
def test_errors_are_the_exchanges(message, code, text):
    body = json.loads(answer(Session(combined=False), message))
    assert body["code"] == code
    assert text in body["msg"]


def test_1024_streams_are_the_most():
    session = Session(combined=False)
    assert ask(session, method="SUBSCRIBE", params=[f"s{i}@trade" for i in range(1024)], id=1)["result"] is None
    with pytest.raises(TooManyStreamsError):
        ask(session, method="SUBSCRIBE", params=["one@more"], id=2)
    with pytest.raises(TooManyStreamsError):
        open_path("/stream?streams=" + "/".join(f"s{i}" for i in range(1025)))
