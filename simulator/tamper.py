"""What faults do to frames on their way to the wire."""

import heapq
import itertools
import time
from collections.abc import Callable, Iterable, Iterator

from simulator.faults import Fault, Faults
from simulator.frames import BINARY, TEXT, Frame, encode
from simulator.hub import Sendable

_SHAPES = ("torn", "text", "binary", "nul")
_STRANGERS = (
    '{"e":"somethingNew","E":%d,"s":"NOBODY","x":{"y":[1,2,3]}}',
    '{"result":null,"id":987654321}',
    '{"lastUpdateId":1,"bids":[["1.00000000","2.00000000"]],"asks":[]}',
    "[1,2,3]",
)


class Altered:
    """A frame whose text a fault has changed.

    ``payload`` changes the data before it is wrapped for a combined stream, ``whole`` the finished text.
    """

    def __init__(
        self, frame: Frame, payload: Callable[[str], str] | None = None, whole: Callable[[str], bytes] | None = None,
        skew_us: tuple[int, int] = (0, 0), opcode: int = TEXT,
    ) -> None:  # fmt: skip
        self.stream, self.time_us, self.ident = frame.stream, frame.time_us, frame.ident
        self._frame, self._payload, self._whole, self._skew, self._opcode = frame, payload, whole, skew_us, opcode

    def wire(self, combined: bool, micro: bool) -> bytes:
        """Return the WebSocket frame as bytes."""
        text = self._frame.json(micro, *self._skew)
        if self._payload:
            text = self._payload(text)
        if combined:
            text = f'{{"stream":"{self.stream}","data":{text}}}'
        return encode(self._whole(text) if self._whole else text, self._opcode)


class Stranger:
    """A message of a kind nobody has heard of, sent to a stream's listeners."""

    ident: int | None = None

    def __init__(self, stream: str, time_us: int, number: int) -> None:
        self.stream, self.time_us = stream, time_us
        self._number = number

    def wire(self, combined: bool, micro: bool) -> bytes:
        """Return the WebSocket frame as bytes."""
        del micro
        place = self._number % len(_STRANGERS)
        text = _STRANGERS[place]
        if not place:
            text %= self.time_us // 1000
            return encode(f'{{"stream":"!somethingNew","data":{text}}}' if combined else text)
        return encode(text)


class Tamper:
    """Applies the active faults to frames; holds the late ones and those waiting to be reordered."""

    def __init__(self, faults: Faults, clock: Callable[[], float] = time.monotonic) -> None:
        self._faults, self._clock = faults, clock
        self._late: list[tuple[float, int, Frame | Sendable]] = []
        self._numbers = itertools.count()
        self._windows: dict[tuple[str, str], tuple[Fault, list[Frame | Sendable]]] = {}

    def apply(self, frames: list[Frame]) -> Iterable[Frame | Sendable]:
        """Return what is to be sent in place of these frames."""
        faults = self._faults.active(where="frame")
        if not faults and not self._windows:
            return frames
        return [item for frame in frames for item in self._one(frame, faults)]

    def released(self) -> list[Frame | Sendable]:
        """Return the late frames whose time has come, and the reordered ones whose fault is over."""
        ready: list[Frame | Sendable] = []
        now = self._clock()
        while self._late and self._late[0][0] <= now:
            ready.append(heapq.heappop(self._late)[2])
        if self._windows:
            alive = self._faults.active("reorder")
            for key in [key for key, (fault, _) in self._windows.items() if fault not in alive]:
                ready.extend(reversed(self._windows.pop(key)[1]))
        return ready

    def _one(self, frame: Frame, faults: list[Fault]) -> Iterator[Frame | Sendable]:
        items: list[Frame | Sendable] = [frame]
        for fault in faults:
            if not fault.about(frame.stream):
                continue
            if fault.kind == "reorder":
                items = self._reorder(fault, frame.stream, items)
            elif items and self._faults.hit(fault):
                items = self._hit(fault, frame, items)
        yield from items

    def _hit(self, fault: Fault, frame: Frame, items: list[Frame | Sendable]) -> list[Frame | Sendable]:
        if fault.kind in ("skip", "stall"):
            return []
        if fault.kind == "duplicate":
            return items * 2
        if fault.kind == "late":
            due = self._clock() + fault.parameters["seconds"]
            for item in items:
                heapq.heappush(self._late, (due, next(self._numbers), item))
            return []
        if fault.kind == "unknown_message":
            return [Stranger(frame.stream, frame.time_us, fault.hits - 1), *items]
        if fault.kind == "unknown_fields":
            return [Altered(frame, payload=_stranger_fields)]
        if fault.kind == "malformed":
            return [_malformed(frame, fault)]
        if fault.kind == "clock_skew":
            offset, fields = fault.parameters["offset_ms"] * 1000, fault.parameters["fields"]
            return [Altered(frame, skew_us=(offset * ("E" in fields), offset * ("T" in fields)))]
        raise AssertionError(f"fault {fault.kind} does nothing to frames")

    def _reorder(self, fault: Fault, stream: str, items: list[Frame | Sendable]) -> list[Frame | Sendable]:
        """Collect ``window`` frames of a stream and give them back in reverse: one hit per window."""
        _, waiting = self._windows.setdefault((fault.id, stream), (fault, []))
        waiting.extend(items)
        if len(waiting) < fault.parameters["window"]:
            return []
        del self._windows[fault.id, stream]
        return list(reversed(waiting)) if self._faults.hit(fault) else waiting


def _stranger_fields(text: str) -> str:
    return text[:-1] + ',"Z":"new","zz":{"deep":[1,{"x":null}]},"é":1.5}'


def _malformed(frame: Frame, fault: Fault) -> Altered:
    shape = fault.parameters["shape"]
    if shape == "any":
        shape = _SHAPES[(fault.hits - 1) % len(_SHAPES)]
    if shape == "torn":
        return Altered(frame, whole=lambda text: text[: len(text) // 2].encode("utf-8", "ignore"))
    if shape == "text":
        return Altered(frame, whole=lambda _: b"<html>502 Bad Gateway</html>")
    if shape == "binary":
        return Altered(frame, whole=lambda _: bytes(range(256)), opcode=BINARY)
    return Altered(frame, whole=lambda text: b"\0" * 8 + text.encode())
