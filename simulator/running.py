"""A stand-in that runs: where it listens, the truth of what it made and sent, and how it is steered."""

from typing import Any

from simulator.contracts import Funding, OpenInterest
from simulator.exchange import Exchange
from simulator.faults import Faults
from simulator.host import Host
from simulator.hub import Hub
from simulator.ports import HOST
from simulator.records import Quote, Trade, kline_record
from simulator.replay import Replay
from simulator.sockets import StreamPort


class Running:
    """What a test, a user and the control port ask of a stand-in, and order. From any thread, its own too.

    Args:
        exchange: What it makes.
        host: Its ports, and the loop that serves them.
    """

    hub: Hub
    _streams: StreamPort

    def __init__(self, exchange: Exchange, host: Host) -> None:
        """Nothing is ordered yet; whoever serves the streams puts `hub`, `replay` and ``_streams`` in place."""
        self.exchange, self._host = exchange, host
        self.faults = Faults(set(exchange.markets))
        exchange.follow(self.faults)
        self.replay: Replay | None = None

    @property
    def ws_url(self) -> str:
        """Address of the streams, such as ``ws://127.0.0.1:9001``; for LAKE_BINANCE__WS_URL."""
        return f"ws://{HOST}:{self.port('ws_port')}"

    @property
    def rest_url(self) -> str:
        """Address of the REST endpoints; for LAKE_BINANCE__REST_URL."""
        return f"http://{HOST}:{self.port('rest_port')}"

    @property
    def futures_url(self) -> str:
        """Address of the USD-M endpoints, on the same port; for LAKE_BINANCE__FUTURES_URL."""
        return self.rest_url

    @property
    def archive_url(self) -> str:
        """Address of the archive of zips, on the same port; for LAKE_BINANCE__ARCHIVE_URL."""
        return self.rest_url

    @property
    def yahoo_url(self) -> str:
        """Address of Yahoo's charts, on the same port; for LAKE_MACRO_MINUTE__YAHOO_URL."""
        return self.rest_url

    @property
    def control_url(self) -> str:
        """Address of truth, faults and connections."""
        return f"http://{HOST}:{self.port('control_port')}"

    def port(self, name: str) -> int:
        """Return the number of ``ws_port``, ``rest_port`` or ``control_port``."""
        return self._host.port(name)

    def trades(self, symbol: str, start_us: int | None = None, end_us: int | None = None) -> list[Trade]:
        """Return every trade made with ``start_us <= T < end_us``; default since the stand-in opened."""
        return self.exchange.trades(symbol, start_us, end_us)

    def quotes(self, symbol: str, start_us: int | None = None, end_us: int | None = None) -> list[Quote]:
        """Return every best quote made with ``start_us <= time < end_us``."""
        return self.exchange.quotes(symbol, start_us, end_us)

    def klines(
        self, symbol: str, interval: str = "1m", start_us: int | None = None, end_us: int | None = None
    ) -> list[list[Any]]:
        """Return the exchange's kline arrays with ``start_us <= open <= end_us``; times in ms."""
        found = self.exchange.klines(symbol, interval, start_us, end_us)
        return [kline_record(self.exchange.market(symbol), kline) for kline in found]

    def fundings(self, symbol: str, start_us: int | None = None, end_us: int | None = None) -> list[Funding]:
        """Return every funding paid with ``start_us <= time < end_us``; default the whole history."""
        return self.exchange.fundings(symbol, start_us, end_us)

    def open_interests(self, symbol: str, start_us: int | None = None, end_us: int | None = None) -> list[OpenInterest]:
        """Return the open interest of every fifth minute with ``start_us <= time < end_us``; default all there is."""
        return self.exchange.open_interests(symbol, start_us, end_us)

    def connections(self) -> list[dict[str, Any]]:
        """Return the connections, open (``closed`` is None) and closed ones."""
        found: list[dict[str, Any]] = self._host.call(self.hub.connections)
        return found

    def sent(self) -> dict[str, Any]:
        """Return what was emitted by stream, and what was sent by connection."""
        found: dict[str, Any] = self._host.call(self._account)
        return found

    def _account(self) -> dict[str, Any]:
        emitted = {
            name: dict(zip(("first_id", "last_id", "frames"), row, strict=True))
            for name, row in self.hub.emitted.items()
        }
        return {"streams": emitted, "connections": {str(c["id"]): c["sent"] for c in self.hub.connections()}}

    def fault(self, kind: str, **order: Any) -> dict[str, Any]:
        """Order a fault (`simulator.fault_kinds.KINDS` has them all) and return it as JSON.

        Raises:
            FaultError: The order is nonsense.
        """
        return self.order({"kind": kind, **order})

    def order(self, raw: Any) -> dict[str, Any]:
        """Order a fault given as JSON; an id given before changes nothing."""
        fault, new = self.faults.order(raw)
        if new and fault.kind == "burst":
            for symbol in sorted(fault.symbols) or list(self.exchange.markets):
                self.exchange.burst(symbol, fault.parameters["n"])
            fault.hits, fault.count = 1, 1
        elif new and fault.kind in ("drop", "cut24h", "serverShutdown"):
            self._host.call(lambda: self._streams.carry_out(fault))
            fault.count = fault.hits
        self._refresh()
        return next(item for item in self.faults.all() if item["id"] == fault.id)

    def clear_faults(self, ident: str | None = None) -> int:
        """Withdraw all faults, or one; return how many."""
        gone = self.faults.clear(ident)
        self._refresh()
        return gone

    def pause(self) -> None:
        """Make no more trades and quotes: the truth stands still, and what was made has been sent when this returns."""
        self._host.call(self.exchange.pause)

    def resume(self) -> None:
        """Go on; what the pause held back is made and sent at once."""
        self._host.call(self.exchange.resume)

    def _refresh(self) -> None:
        self.exchange.follow(self.faults)
