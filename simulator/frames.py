"""Stream frames as the exchange writes them, and as the bytes that go over the wire.

A frame's JSON is written once, whoever gets it: a subscriber needs the raw or the combined form, in ms or in µs.
"""

from collections.abc import Iterator

from simulator.blocks import Quotes, Trades
from simulator.market import SymbolMarket
from simulator.records import aggregate_records

TEXT, BINARY = 0x81, 0x82
"""First byte of an unfragmented WebSocket frame (RFC 6455, 5.2)."""


class Frame:
    """One event of one stream.

    Attributes:
        stream: The stream's name, such as ``solusdt@trade``.
        time_us: When it is due, µs since 1970 UTC.
        ident: Trade, aggregate or update id; None where there is none.
    """

    __slots__ = ("_head", "_tail", "_times", "_wire", "ident", "stream", "time_us")

    def __init__(
        self, stream: str, time_us: int, ident: int | None, head: str, times: tuple[int, int] | None, tail: str
    ) -> None:
        self.stream, self.time_us, self.ident = stream, time_us, ident
        self._head, self._times, self._tail = head, times, tail
        self._wire: dict[tuple[bool, bool], bytes] = {}

    def json(self, micro: bool, e_skew_us: int = 0, t_skew_us: int = 0) -> str:
        """Return the payload, times in µs or ms. ``head`` holds ``%E`` and ``%T`` where the event and trade time go."""
        if self._times is None:
            return self._head + self._tail
        unit = 1 if micro else 1000
        event, trade = self._times
        event, trade = (event + e_skew_us) // unit, (trade + t_skew_us) // unit
        return f"{self._head}{event}{self._tail.replace('%T', str(trade), 1)}"

    def wire(self, combined: bool, micro: bool) -> bytes:
        """Return the WebSocket frame as bytes; kept, so that the next subscriber gets the same object."""
        key = (combined, micro)
        found = self._wire.get(key)
        if found is None:
            text = self.json(micro)
            found = encode(f'{{"stream":"{self.stream}","data":{text}}}' if combined else text)
            self._wire[key] = found
        return found


def encode(text: str | bytes, opcode: int = TEXT) -> bytes:
    """Return an unmasked WebSocket frame around a text or bytes."""
    data = text.encode() if isinstance(text, str) else text
    size = len(data)
    if size < 126:
        return bytes((opcode, size)) + data
    if size < 65536:
        return bytes((opcode, 126)) + size.to_bytes(2, "big") + data
    return bytes((opcode, 127)) + size.to_bytes(8, "big") + data


def event_time(time_us: int, ident: int) -> int:
    """Return the event time E of a trade: up to 2 ms after T, the same whenever asked."""
    return time_us + ident * 2_654_435_761 % 2_000


def trade_frames(market: SymbolMarket, stream: str, part: Trades) -> Iterator[Frame]:
    """Yield ``@trade`` frames: e, E, s, t, p, q, T, m, M (web-socket-streams.md, "Trade Streams")."""
    listing, first = market.listing, market.first_id + part.first_id
    symbol, price, qty = listing.symbol, listing.price_text, listing.qty_text
    columns = (part.time_us.tolist(), part.ticks.tolist(), part.steps.tolist(), part.sell.tolist())
    for ident, (time_us, ticks, steps, sell) in enumerate(zip(*columns, strict=True), first):
        tail = (
            f',"s":"{symbol}","t":{ident},"p":"{price(ticks)}","q":"{qty(steps)}","T":%T,"m":{_bool(sell)},"M":true}}'
        )
        yield Frame(stream, time_us, ident, '{"e":"trade","E":', (event_time(time_us, ident), time_us), tail)


def aggregate_frames(market: SymbolMarket, stream: str, part: Trades) -> Iterator[Frame]:
    """Yield ``@aggTrade`` frames: e, E, s, a, p, q, f, l, T, m, M."""
    for a in aggregate_records(market, part):
        tail = (
            f',"s":"{market.listing.symbol}","a":{a.id},"p":"{a.price}","q":"{a.qty}","f":{a.first_id},"l":{a.last_id},'
            f'"T":%T,"m":{_bool(a.buyer_is_maker)},"M":true}}'
        )
        yield Frame(stream, a.time_us, a.id, '{"e":"aggTrade","E":', (event_time(a.time_us, a.id), a.time_us), tail)


def quote_frames(market: SymbolMarket, stream: str, part: Quotes) -> Iterator[Frame]:
    """Yield spot ``@bookTicker`` frames, which have u, s, b, B, a, A and no time at all."""
    listing = market.listing
    symbol, price, qty = listing.symbol, listing.price_text, listing.qty_text
    columns = (part.update_id, part.time_us, part.bid, part.bid_steps, part.ask, part.ask_steps)
    for update, time_us, bid, bid_steps, ask, ask_steps in zip(*(column.tolist() for column in columns), strict=True):
        text = (
            f'{{"u":{update},"s":"{symbol}","b":"{price(bid)}","B":"{qty(bid_steps)}",'
            f'"a":"{price(ask)}","A":"{qty(ask_steps)}"}}'
        )
        yield Frame(stream, time_us, update, text, None, "")


def _bool(value: bool) -> str:
    return "true" if value else "false"
