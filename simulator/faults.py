"""Faults on order: which there are, how an order is checked, and which are active now."""

import itertools
import threading
import time
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from typing import Any

from simulator.fault_kinds import KINDS, Parameter


class FaultError(ValueError):
    """An order that cannot be carried out; the message is one line that says what was expected."""


_COMMON = {"id", "kind", "symbols", "streams", "path", "connections", "count", "duration"}


@dataclass
class Fault:
    """One order in force or spent.

    Attributes:
        symbols: Pairs it is about; empty for all.
        streams: Stream kinds such as ``trade``; empty for all.
        path: REST path it begins with; empty for all.
        connections: Connection ids; empty for all.
        count: How often it hits; None for no limit.
        duration: Seconds it lasts; None for no limit.
        hits: How often it has hit.
        files: Archive files it has altered, which stay so while it stands.
    """

    id: str
    kind: str
    symbols: frozenset[str]
    streams: frozenset[str]
    path: str
    connections: frozenset[int]
    count: int | None
    duration: float | None
    parameters: dict[str, Any]
    began: float
    hits: int = 0
    files: set[str] = field(default_factory=set)

    def lasts(self, now: float) -> bool:
        """Whether it has time left, however often it has hit."""
        return self.duration is None or now - self.began < self.duration

    def active(self, now: float) -> bool:
        """Whether it still has hits and time left."""
        return (self.count is None or self.hits < self.count) and self.lasts(now)

    def covers(self, path: str, symbols: Set[str]) -> bool:
        """Whether a REST path that is about these symbols is in its scope."""
        return path.startswith(self.path) and (not self.symbols or bool(self.symbols & symbols))

    def about(self, stream: str) -> bool:
        """Whether a stream is in its scope."""
        symbol, _, kind = stream.partition("@")
        return (not self.symbols or symbol.upper() in self.symbols) and (not self.streams or kind in self.streams)

    def public(self, now: float) -> dict[str, Any]:
        """Return it as JSON for the control port."""
        return {
            "id": self.id, "kind": self.kind, "symbols": sorted(self.symbols), "streams": sorted(self.streams),
            "path": self.path,
            "connections": sorted(self.connections), "count": self.count, "duration": self.duration, **self.parameters,
            "hits": self.hits, "active": self.active(now),
        }  # fmt: skip


class Faults:
    """All orders given, by id. Used by the streams' thread and the REST threads."""

    def __init__(self, symbols: set[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._symbols, self._clock = symbols, clock
        self._orders: dict[str, Fault] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def order(self, raw: Any) -> tuple[Fault, bool]:
        """Take an order and return (fault, whether it is new); an id seen before is not carried out again.

        Raises:
            FaultError: Nonsense; the message names the key and what was expected.
        """
        fault = self._checked(raw)
        with self._lock:
            if fault.id in self._orders:
                return self._orders[fault.id], False
            self._orders[fault.id] = fault
        return fault, True

    def clear(self, ident: str | None = None) -> int:
        """Withdraw all faults, or the one with this id; return how many there were."""
        with self._lock:
            gone = [key for key in self._orders if ident in (None, key)]
            for key in gone:
                del self._orders[key]
        return len(gone)

    def all(self) -> list[dict[str, Any]]:
        """Return every order, active or spent, as JSON."""
        now = self._clock()
        with self._lock:
            return [fault.public(now) for fault in self._orders.values()]

    def active(self, *kinds: str, where: str | None = None) -> list[Fault]:
        """Return the active faults of these kinds, or of a place, in order of arrival."""
        if not self._orders:
            return []
        now = self._clock()
        with self._lock:
            orders = list(self._orders.values())
        return [f for f in orders if (f.kind in kinds or KINDS[f.kind].where == where) and f.active(now)]

    def stands(self, fault: Fault) -> bool:
        """Whether a fault has neither been withdrawn nor run out of time; it may have hit for the last time."""
        with self._lock:
            return self._orders.get(fault.id) is fault and fault.lasts(self._clock())

    def standing(self, *kinds: str) -> list[Fault]:
        """Return the faults of these kinds that `stands` holds for, in order of arrival."""
        with self._lock:
            orders = list(self._orders.values())
        now = self._clock()
        return [fault for fault in orders if fault.kind in kinds and fault.lasts(now)]

    def hit_file(self, fault: Fault, path: str) -> bool:
        """Count a hit per file: one that was hit stays so. False where none is left for another file."""
        with self._lock:
            if path not in fault.files:
                if not fault.active(self._clock()):
                    return False
                fault.hits += 1
                fault.files.add(path)
        return True

    def hit(self, fault: Fault) -> bool:
        """Count a hit; False where none is left."""
        with self._lock:
            if not fault.active(self._clock()):
                return False
            fault.hits += 1
        return True

    def _checked(self, raw: Any) -> Fault:
        if not isinstance(raw, dict):
            raise FaultError('a fault: expected a JSON object such as {"kind": "drop"}')
        kind = str(raw.get("kind"))
        if kind not in KINDS:
            raise FaultError(f"kind {kind!r}: expected one of {', '.join(KINDS)}")
        known = KINDS[kind].parameters
        for key in raw:
            if key not in _COMMON and key not in known:
                raise FaultError(
                    f"{kind}: unknown key {str(key)[:40]!r}; expected {', '.join(sorted(_COMMON | set(known)))}"
                )
        count, duration = _number(raw, "count", int, 1), _number(raw, "duration", float, 0)
        if count is None and duration is None and not KINDS[kind].lasting and KINDS[kind].where == "frame":
            count = 1
        parameters = {name: _parameter(kind, name, raw.get(name, known[name].default), known[name]) for name in known}
        ident = raw.get("id", f"fault-{next(self._numbers)}")
        if not isinstance(ident, str) or not 0 < len(ident) <= 100:
            raise FaultError(f"id {str(ident)[:40]!r}: expected a text of 1 to 100 characters")
        path = raw.get("path", "")
        if not isinstance(path, str) or (path and not path.startswith("/")):
            raise FaultError(f"path {str(path)[:40]!r}: expected a path such as /api/v3/klines")
        symbols = frozenset(name.upper() for name in _texts(raw, "symbols"))
        if unknown := symbols - self._symbols:
            raise FaultError(
                f"symbols: {', '.join(sorted(unknown))} not listed; there are {', '.join(sorted(self._symbols))}"
            )
        streams = frozenset(name.removeprefix("@") for name in _texts(raw, "streams"))
        return Fault(
            ident, kind, symbols, streams, path, _connections(raw), count, duration, parameters, self._clock()
        )  # fmt: skip


def _number(raw: dict[str, Any], key: str, kind: type, least: float) -> Any:
    value = raw.get(key)
    if value is None:
        return None
    if (
        isinstance(value, bool)
        or not isinstance(value, int if kind is int else (int, float))
        or not least <= value < 1e9
    ):
        raise FaultError(f"{key} {str(value)[:40]!r}: expected a number from {least} up")
    return value


def _texts(raw: dict[str, Any], key: str) -> list[str]:
    value = raw.get(key) or []
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise FaultError(f"{key} {str(value)[:40]!r}: expected a list of texts")
    return value


def _connections(raw: dict[str, Any]) -> frozenset[int]:
    value = raw.get("connections") or []
    if not isinstance(value, list) or not all(isinstance(item, int) for item in value):
        raise FaultError(f"connections {str(value)[:40]!r}: expected a list of ids, as /connections shows them")
    return frozenset(value)


def _parameter(kind: str, name: str, value: Any, rule: Parameter) -> Any:
    allowed = rule.allowed
    if rule.type is str:
        if value not in allowed:
            raise FaultError(f"{kind}: {name} {str(value)[:40]!r}: expected one of {', '.join(allowed)}")
    elif rule.type is list:
        if not isinstance(value, list) or not set(map(str, value)) <= set(rule.default):
            raise FaultError(f"{kind}: {name} {str(value)[:40]!r}: expected a list of {', '.join(rule.default)}")
    elif isinstance(value, bool) or not isinstance(value, (int, float) if rule.type is float else int):
        raise FaultError(f"{kind}: {name} {str(value)[:40]!r}: expected a number")
    elif not allowed[0] <= value <= allowed[1]:
        raise FaultError(f"{kind}: {name} {value}: expected {allowed[0]} to {allowed[1]}")
    return value
