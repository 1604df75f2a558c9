"""What the bars must be, worked out naively from raw lines with Decimal and Fraction; shares nothing with the lake."""

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

SECOND = 1_000_000


def nearest(value):
    return float(Fraction(value))


def bars(lines):
    """Raw lines (dicts) of one symbol to {second in microseconds: bar as a dict without symbol}."""
    trades, quotes = {}, {}
    for line in lines:
        if line["stream"] == "trade":
            known = trades.get(line["trade_id"])
            trades[line["trade_id"]] = line if known is None else min(line, known, key=_first)
        else:
            second = line["ts_recv"] // SECOND * SECOND
            place = (line["ts_recv"], line["update_id"])
            if second not in quotes or place > quotes[second][0]:
                quotes[second] = (place, line)
    seconds = defaultdict(list)
    for line in trades.values():
        seconds[line["ts_event"] // SECOND * SECOND].append(line)
    found = {}
    for second, group in seconds.items():
        found[second] = _traded(sorted(group, key=lambda line: line["trade_id"]), trades)
    order = sorted(found)
    for left, right in pairwise(order):
        if found[left]["last_trade_id"] + 1 == found[right]["first_trade_id"]:
            for second in range(left + SECOND, right, SECOND):
                found[second] = _flat(found[left]["close"])
    for second, bar in found.items():
        quote = quotes.get(second)
        bid, ask = (Decimal(quote[1]["bid"]), Decimal(quote[1]["ask"])) if quote else (None, None)
        bar |= {"bid": nearest(bid) if quote else None, "ask": nearest(ask) if quote else None}
        bar["spread"] = nearest(ask - bid) if quote else None
    return found


def _first(line):
    """Of lines that contradict each other under one id, the first received holds; ties are settled by content."""
    second = line["ts_event"] // SECOND
    return line["ts_recv"], second, Decimal(line["price"]), Decimal(line["qty"]), line["side"] == "buy"


def _traded(group, trades):
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
        "complete": len(group) == last - first + 1 and first - 1 in trades and last + 1 in trades,
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
