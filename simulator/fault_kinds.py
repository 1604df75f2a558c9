"""The kinds of faults there are, and what each can be told."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Parameter:
    """One parameter of a fault: its kind, what it is by default, and what it may be (a range, or a set of words)."""

    type: type
    default: Any
    allowed: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Kind:
    """One kind of fault: what it does, where (frame, socket, rest, archive or market), its parameters.

    ``lasting`` faults hold until their count or duration is used up, or for ever where none is given; others happen
    once unless a count or duration is given.
    """

    does: str
    where: str
    lasting: bool = False
    parameters: dict[str, Parameter] = field(default_factory=dict)


_MS = Parameter(float, 500.0, (0, 600_000))
_RETRY = Parameter(int, 1, (0, 300_000))
_SPAN = (0, 10**17)
_FREQ = Parameter(str, "any", ("any", "daily", "monthly"))
ROWS = (
    "repeated", "contradicting", "unordered", "negative_price", "high_below_low", "no_number", "backwards",
)  # fmt: skip
"""How rows of klines can be odd."""
SHAPES = (
    "two_members", "parent_path", "header", "extra_column", "torn_row", "wrong_symbol_name", "partial", *ROWS,
    "next_day", "bom", "crlf", "spaces", "quotes", "scientific", "float_times", "other_unit", "mixed_units", "no_unit",
    "empty",
)  # fmt: skip
"""How an evil zip can be wrong though its CHECKSUM is right; from ``repeated`` on, all but three concern klines."""
_ARCHIVE = {
    "missing_zip": Kind("answer 404 to a zip whose CHECKSUM is there", "archive", True, {"freq": _FREQ}),
    "missing_checksum": Kind("answer 404 to a CHECKSUM whose zip is there", "archive", True, {"freq": _FREQ}),
    "wrong_checksum": Kind("tell the sum of other bytes than the zip's", "archive", True, {"freq": _FREQ}),
    "odd_checksum": Kind(
        "write a CHECKSUM in capitals with an asterisk, or leave it ``empty``",
        "archive",
        True,
        {"shape": Parameter(str, "capitals", ("capitals", "empty")), "freq": _FREQ},
    ),
    "corrupt_zip": Kind(
        "send bytes that are no zip; the CHECKSUM is of the good one", "archive", True, {"freq": _FREQ}
    ),
    "revised": Kind(
        "change the amount in ``rows`` rows of a file, with its CHECKSUM and ETag; ``count`` is of files",
        "archive",
        True,
        {"rows": Parameter(int, 3, (1, 1_000_000)), "freq": _FREQ},
    ),
    "evil_zip": Kind(
        "send a zip of the wrong ``shape`` with its right CHECKSUM; ``count`` is of files",
        "archive",
        True,
        {"shape": Parameter(str, "partial", SHAPES), "freq": _FREQ},
    ),
}
KINDS = {
    "drop": Kind("close sockets abruptly, without a close frame", "socket"),
    "cut24h": Kind("close connections as at the end of their 24 hours", "socket"),
    "serverShutdown": Kind("announce a shutdown on every connection; the server goes on", "socket"),
    "refuse": Kind("answer handshakes with an HTTP error", "socket", True, {"status": Parameter(int, 503, (400, 599))}),
    "stall": Kind("keep sockets open and send no data", "frame", True),
    "duplicate": Kind("send frames twice", "frame"),
    "reorder": Kind(
        "send frames in reverse, ``window`` at a time", "frame", False, {"window": Parameter(int, 2, (2, 1000))},
    ),
    "skip": Kind("do not send frames: a hole, whose events are in the truth and the REST answers", "frame"),
    "malformed": Kind(
        "send something unreadable in place of frames", "frame", False,
        {"shape": Parameter(str, "any", ("any", "torn", "text", "binary", "nul"))},
    ),
    "unknown_fields": Kind("add fields nobody has heard of", "frame", True),
    "unknown_message": Kind("send messages of unknown kinds between the frames", "frame"),
    "late": Kind("hold frames back for ``seconds``", "frame", True, {"seconds": Parameter(float, 2.0, (0, 3600))}),
    "clock_skew": Kind(
        "move the server time, E and T by ``offset_ms``", "frame", True,
        {"offset_ms": Parameter(int, 1000, (-86_400_000, 86_400_000)), "fields": Parameter(list, ["time", "E", "T"])},
    ),
    "burst": Kind("make ``n`` trades within one millisecond", "market", False, {"n": Parameter(int, 700, (1, 10_000))}),
    "delisting": Kind(
        "symbols go to BREAK: no trade is made, streams are silent", "market", True,
        {"rest": Parameter(str, "error", ("error", "empty", "history"))},
    ),
    **_ARCHIVE,
    "429": Kind("answer REST with 429", "rest", True, {"retry_after": _RETRY}),
    "418": Kind("answer REST with 418", "rest", True, {"retry_after": _RETRY}),
    "500": Kind("answer REST with 500", "rest", True),
    "451": Kind("answer REST with 451: a restricted place", "rest", True),
    "truncated": Kind("cut REST bodies in half though their whole length is promised, and close", "rest", True),
    "hang": Kind("do not answer REST until the client leaves or the fault is withdrawn", "rest", True),
    "missing_klines": Kind(
        "leave out klines that lie within a span, of REST and archive alike", "rest", True,
        {"from_us": Parameter(int, 0, _SPAN), "to_us": Parameter(int, _SPAN[1], _SPAN)},
    ),
    "off_grid": Kind(
        "have klines that open within a span open ``later_ms`` later, of REST and archive alike", "rest", True,
        {"from_us": Parameter(int, 0, _SPAN), "to_us": Parameter(int, _SPAN[1], _SPAN),
         "later_ms": Parameter(int, 14_789, (1, 86_400_000))},
    ),
    "odd_klines": Kind(
        "make rows of REST's klines within a span odd", "rest", True,
        {"from_us": Parameter(int, 0, _SPAN), "to_us": Parameter(int, _SPAN[1], _SPAN),
         "shape": Parameter(str, "repeated", ROWS)},
    ),
    "slow": Kind("add ``ms`` to every REST answer", "rest", True, {"ms": _MS}),
    "yahoo_schema": Kind(
        "change Yahoo's columns: ``close`` renamed, ``volume`` dropped, or texts for numbers", "rest", True,
        {"shape": Parameter(str, "renamed", ("renamed", "dropped", "texts"))},
    ),
    "yahoo_nulls": Kind("take the values out of every other row of Yahoo's", "rest", True),
}  # fmt: skip
