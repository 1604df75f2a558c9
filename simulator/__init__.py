"""A Binance stand-in on loopback: streams, REST, USD-M, the archive, the truth about them, and faults on order.

`Simulator` is the way in; tests, the demo and users' own tests use it. What does not belong here: anything the
lake itself does with market data.
"""

from simulator.contracts import Funding, OpenInterest
from simulator.faults import FaultError
from simulator.ports import PortInUseError
from simulator.records import Quote, Trade
from simulator.server import Simulator
from simulator.sockets import Limits
from simulator.symbols import DEFAULT_SYMBOLS, Listing

__all__ = [
    "DEFAULT_SYMBOLS", "FaultError", "Funding", "Limits", "Listing", "OpenInterest", "PortInUseError", "Quote",
    "Simulator", "Trade",
]  # fmt: skip
