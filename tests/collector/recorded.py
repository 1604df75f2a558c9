"""Frames as recorders write them: small, with known numbers."""

import json

RECV = 1_760_918_400_123_456  # 2025-10-20T00:00:00.123456Z
SECOND = 1_000_000


def trade(number, at=0, price="187.31000000", qty="2.00000000", symbol="SOLUSDT", **more):
    """A trade of Binance spot, ``at`` seconds after midnight."""
    ms = 1_760_918_400_119 + round(at * 1000)
    return {
        "e": "trade", "E": ms + 1, "s": symbol, "t": number, "p": price, "q": qty, "T": ms, "m": False, "M": True,
        **more,
    }  # fmt: skip


def usd_m(number, at=0, **more):
    """A trade of the USD-M futures: with X, without M."""
    found = trade(number, at, **{"X": "MARKET", **more})
    del found["M"]
    return found


def quote(number, symbol="SOLUSDT"):
    """A best quote of Binance spot."""
    return {"u": number, "s": symbol, "b": "187.30", "B": "10.0", "a": "187.31", "A": "3.0"}


def wrapped(data):
    """The frame of a combined stream."""
    channel = data.get("e", "bookTicker")
    return json.dumps({"stream": f"{data['s'].lower()}@{channel}", "data": data}, separators=(",", ":"))


def line(data, at=0.0):
    """A line of hftbacktest, microseconds."""
    return f"{RECV + round(at * SECOND)} {wrapped(data)}\n"


def raw_lines(layout, symbol="SOLUSDT"):
    """Every raw line of a symbol in the lake, in the order of days and parts."""
    paths = sorted((layout.raw / symbol).rglob("part_*.jsonl")) if (layout.raw / symbol).is_dir() else []
    return [json.loads(text) for path in paths for text in path.read_text().splitlines()]


def files(layout):
    """Every file of the lake but locks and logs, as paths below its base."""
    paths = (path.relative_to(layout.base) for path in layout.base.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in paths if path.parts[0] not in ("locks", "logs"))
