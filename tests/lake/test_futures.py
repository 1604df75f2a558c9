"""The USD-M endpoints' answers, over real sockets: pages, numbers as given, and what is none of them."""

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lake import futures
from lake.budget import Budget
from lake.errors import LakeError
from lake.intervals import Span
from lake.web import RefusedError
from lake.windows import DAY_US, micros
from simulator import Simulator

NOON = micros(datetime(2024, 3, 15, 12, tzinfo=UTC))
FIVE = 300_000_000


@pytest.fixture
def answers():
    """A host that gives the answers of a list, one after the other, and claims that all weight is used."""
    bodies, asked = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            body = json.dumps(bodies.pop(0)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-MBX-USED-WEIGHT-1M", "2400")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", bodies, asked
        server.shutdown()
        thread.join()


@pytest.fixture
def ask(answers, layout):
    """Ask for an hour of one of the two, and be given this answer."""
    url, bodies, _ = answers

    def ask(kind, said):
        bodies.append(said)
        with futures.connected(layout, url) as rest:
            if kind == "fundings":
                return rest.fundings("SOLUSDT", (NOON, NOON + 12 * FIVE)).to_pylist()
            return rest.interests("SOLUSDT", Span(NOON, NOON + 11 * FIVE, 12)).table.to_pylist()

    return ask


def funding(**other):
    return {
        "symbol": "SOLUSDT", "fundingTime": NOON // 1000 + 4, "fundingRate": "0.00010000", "markPrice": "187.3100"
    } | other  # fmt: skip


def interest(**other):
    return {
        "symbol": "SOLUSDT", "timestamp": NOON // 1000, "sumOpenInterest": "7301224.00000000",
        "sumOpenInterestValue": "1367612345.67000000",
    } | other  # fmt: skip


def test_numbers_are_the_nearest_doubles_and_unknown_fields_are_let_be(ask):
    (row,) = ask("fundings", [funding(fundingRate="-0.00012345", markPrice="9999999999.99999999", fresh=[1])])
    assert (row["funding_rate"], row["mark_price"]) == (-0.00012345, 9999999999.99999999)
    assert micros(row["funding_time"]) == NOON + 4000
    (row,) = ask("interests", [interest(CMCCirculatingSupply="1")])
    assert (row["open_interest"], row["open_interest_value"]) == (7301224.0, 1367612345.67)


def test_old_fundings_have_no_mark_price(ask):
    bare = funding()
    del bare["markPrice"]
    for said in (funding(markPrice=""), bare):
        (row,) = ask("fundings", [said])
        assert row["mark_price"] is None


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"code": 0}, "expected a list of objects"),
        ([[1, 2]], "expected a list of objects"),
        ([funding(fundingTime="1")], "fundingTime is '1', expected an integer"),
        ([funding(fundingTime=True)], "fundingTime is 'True', expected an integer"),
        ([funding(fundingTime=10**30)], "fundingTime is"),
        ([funding(fundingTime=2**63)], "fundingTime is out of range"),
        ([{k: v for k, v in funding().items() if k != "fundingRate"}], "fundingRate is 'None', expected a text"),
        ([funding(fundingRate=0.0001)], "fundingRate is '0.0001', expected a text"),
        ([funding(fundingRate="1_0")], "a number is none"),
        ([funding(fundingRate="nan")], "a number is not finite"),
        ([funding(fundingRate="")], "funding_rate"),
        ([funding(symbol="BTCUSDT")], "rows of 'BTCUSDT'"),
        ([funding(fundingTime=NOON // 1000 - 1)], "not of what was asked for"),
        ([funding(fundingTime=NOON // 1000 + 3_600_000)], "not of what was asked for"),
        ([funding(), funding()], "not in order"),
        ([funding(fundingTime=NOON // 1000 + 9), funding()], "not in order"),
    ],
)
def test_an_answer_that_is_no_fundings_is_one_clear_error(ask, said, words):
    with pytest.raises(LakeError, match=words) as caught:
        ask("fundings", said)
    assert "\n" not in str(caught.value)
    assert "SOLUSDT" in str(caught.value) or "funding" in str(caught.value)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("[]", "expected a list of objects"),
        ([interest(sumOpenInterest=1.5)], "sumOpenInterest is '1.5', expected a text"),
        ([interest(timestamp=NOON // 1000 + 1)], "2024-03-15T12:00:00.001000Z was not asked for"),
        ([interest(timestamp=(NOON + DAY_US) // 1000)], "was not asked for"),
        ([interest(symbol="X")], "rows of 'X'"),
        ([interest(sumOpenInterestValue="inf")], "not finite"),
    ],
)
def test_an_answer_that_is_no_open_interest_is_one_clear_error(ask, said, words):
    with pytest.raises(LakeError, match=words):
        ask("interests", said)


@pytest.mark.parametrize(
    "odd",
    [interest(timestamp=NOON // 1000 + 7000), interest(sumOpenInterest="-1"), interest(sumOpenInterestValue="-1")],
)
def test_an_odd_row_of_open_interest_costs_no_other(answers, layout, odd):
    url, bodies, _ = answers
    bodies.append([interest(), odd, interest(timestamp=(NOON + FIVE) // 1000)])
    with futures.connected(layout, url) as rest:
        found = rest.interests("SOLUSDT", Span(NOON, NOON + 11 * FIVE, 12))
    assert (futures.micros_of(found.table, "ts").tolist(), found.refused) == ([NOON, NOON + FIVE], 1)


def test_requests_are_counted_for_each_endpoint_alone_and_the_weight_in_the_answers_is_not(ask, answers, layout):
    url, _, asked = answers
    for _ in range(3):
        ask("interests", [])
    ask("fundings", [])
    assert len(asked) == 4
    for account, limit, used in (("funding", 500, 1), ("open interest", 1000, 3)):
        budget = Budget(layout.limits, f"{url} {account}", limit, 300)
        assert budget.free() in (int(limit * 0.98) - used, int(limit * 0.98)), "a new five minutes may have begun"
        budget.close()


def test_more_fundings_than_one_answer_holds_come_in_pages(layout):
    with Simulator(["SOLUSDT"], 7, rate=0.05, start_us=NOON - 400 * DAY_US, clock=lambda: NOON) as sim:
        with futures.connected(layout, sim.futures_url) as rest:
            table = rest.fundings("SOLUSDT", (0, NOON + 1))
            with pytest.raises(RefusedError) as caught:
                rest.fundings("NOPEUSDT", (0, NOON))
        assert caught.value.code == futures.UNKNOWN_CONTRACT
        truth = sim.fundings("SOLUSDT")
        assert len(truth) > 1100
        assert futures.micros_of(table, "funding_time").tolist() == [one.time_us for one in truth]
        assert table["funding_rate"].to_pylist() == [float(one.rate) for one in truth]
