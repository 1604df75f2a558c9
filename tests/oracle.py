"""What the bars must be, worked out naively from raw lines with Decimal and Fraction; shares nothing with the lake."""

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

SECOND = 1_000_000


def nearest(value):
    return float(Fraction(value))


def numberings(lines):
    """The seconds with which trade ids start again, out of raw lines in any order (rule: `lake/numbering.py`)."""
    ids = defaultdict(set)
    for line in lines:
        if line["stream"] == "trade":
            ids[line["ts_event"] // SECOND * SECOND].add(line["trade_id"])
    order = sorted(ids)
    falls = [n for n in range(1, len(order)) if max(ids[order[n]]) <= max(ids[order[n - 1]])]
    found = []

    def share(fall, end=None):
        before = [at for at in order[:fall] if not found or at >= found[-1]]
        after = order[fall:end]
        for side in (before, after):
            if len(side) == 0 or (len(side) == 1 and len(ids[side[0]]) == 1):
                return Fraction(0)
        size = min(11, max(3, min(len(before), len(after))))
        pairs = [(max(ids[a]), max(ids[b])) for a in before[-size:] for b in after[:size]]
        return Fraction(sum(a >= b for a, b in pairs), len(pairs))

    for fall in falls:
        clearer = [other for other in falls if fall < other < fall + 11 and share(other) > share(fall)]
        if all(share(fall, end) > Fraction(1, 2) for end in (None, *clearer)):
            found.append(order[fall])
    return found


def bars(lines):
    """Raw lines (dicts) of one symbol to {second in microseconds: bar as a dict without symbol}."""
    starts = numberings(lines)
    copies, quotes = defaultdict(list), {}
    for line in lines:
        if line["stream"] == "trade":
            copies[sum(start <= line["ts_event"] for start in starts), line["trade_id"]].append(line)
        else:
            second = line["ts_recv"] // SECOND * SECOND
            place = (line["ts_recv"], line["update_id"])
            if second not in quotes or place > quotes[second][0]:
                quotes[second] = (place, line)
    trades = {key: min(group, key=_first) for key, group in copies.items()}
    doubtful = {
        at["ts_event"] // SECOND * SECOND
        for key, group in copies.items()
        for line in group if _contradict(line, trades[key])
        for at in (line, trades[key])
    }  # fmt: skip
    seconds = defaultdict(list)
    for (numbering, _), line in trades.items():
        seconds[numbering, line["ts_event"] // SECOND * SECOND].append(line)
    found = {}
    for (numbering, second), group in seconds.items():
        held = {number for which, number in trades if which == numbering}
        found[second] = _traded(sorted(group, key=lambda line: line["trade_id"]), held)
        found[second]["complete"] &= second not in doubtful
    for (numbering, left), (other, right) in pairwise(sorted(seconds)):
        if numbering == other and found[left]["last_trade_id"] + 1 == found[right]["first_trade_id"]:
            for second in range(left + SECOND, right, SECOND):
                found[second] = _flat(found[left]["close"])
                found[second]["complete"] = second not in doubtful
    for second, bar in found.items():
        quote = quotes.get(second)
        bid, ask = (Decimal(quote[1]["bid"]), Decimal(quote[1]["ask"])) if quote else (None, None)
        bar |= {"bid": nearest(bid) if quote else None, "ask": nearest(ask) if quote else None}
        bar["spread"] = nearest(ask - bid) if quote else None
    return found


def contradictions(lines):
    """How many contents of trade ids there are beside those that hold."""
    starts, copies = numberings(lines), defaultdict(list)
    for line in lines:
        if line["stream"] == "trade":
            copies[sum(start <= line["ts_event"] for start in starts), line["trade_id"]].append(line)
    return sum(
        len({_content(line) for line in group if _contradict(line, min(group, key=_first))})
        for group in copies.values()
    )


def _content(line):
    return line["ts_event"], Decimal(line["price"]), Decimal(line["qty"]), line["side"]


def _contradict(line, other):
    return abs(line["ts_event"] - other["ts_event"]) >= 1000 or _content(line)[1:] != _content(other)[1:]


def _first(line):
    """Of lines that contradict each other under one id, the first received holds; ties are settled by content."""
    second = line["ts_event"] // SECOND
    return line.get("ts_recv", 0), second, Decimal(line["price"]), Decimal(line["qty"]), line["side"] == "buy"


def _traded(group, held):
    prices = [Decimal(line["price"]) for line in group]
    base = sum((Fraction(line["qty"]) for line in group), Fraction())
    quote = sum((Fraction(line["price"]) * Fraction(line["qty"]) for line in group), Fraction())
    bought = [line for line in group if line["side"] == "buy"]
    first, last = group[0]["trade_id"], group[-1]["trade_id"]
    return {
        "open": float(prices[0]), "high": float(max(prices)), "low": float(min(prices)), "close": float(prices[-1]),
        "volume_base": float(base), "volume_quote": float(quote), "trade_count": len(group),
        "vwap": float(quote / base),
        "taker_buy_base": float(sum((Fraction(line["qty"]) for line in bought), Fraction())),
        "taker_buy_quote": float(sum((Fraction(line["price"]) * Fraction(line["qty"]) for line in bought), Fraction())),
        "first_trade_id": first, "last_trade_id": last,
        "complete": len(group) == last - first + 1 and first - 1 in held and last + 1 in held,
    }  # fmt: skip


def _flat(close):
    return {
        "open": close, "high": close, "low": close, "close": close, "volume_base": 0.0, "volume_quote": 0.0,
        "trade_count": 0, "vwap": None, "taker_buy_base": 0.0, "taker_buy_quote": 0.0, "first_trade_id": None,
        "last_trade_id": None, "complete": True,
    }  # fmt: skip


def rows(table):
    """A table of bars as {second in microseconds: bar as a dict without symbol}."""
    return {
        round(row.pop("window_start").timestamp() * SECOND): {k: v for k, v in row.items() if k != "symbol"}
        for row in table.to_pylist()
    }
