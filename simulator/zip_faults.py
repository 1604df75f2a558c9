"""What faults do to a file of the archive: revisions, and zips that are wrong in ways their CHECKSUM does not tell."""

from collections.abc import Callable, Iterable
from decimal import Decimal

from simulator.faults import Fault
from simulator.zips import Zip, pack, unpack

NO_ZIP = b"<html><body>502 Bad Gateway</body></html>" * 50
"""What is sent in place of a zip."""
_HEADERS = {
    7: "id,price,qty,quote_qty,time,is_buyer_maker,is_best_match",
    8: "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker,is_best_match",
    12: "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
    "taker_buy_quote_volume,ignore",
}
"""Header rows by the number of columns, as the newer futures files have them."""
_REVISED_SECONDS = 3600
"""A revision lies there so much later."""


def concerns(fault: Fault, path: str) -> bool:
    """Whether a file is in a fault's scope: path, symbol and frequency."""
    folders = path.split("/")
    return fault.covers(path, set(folders)) and fault.parameters["freq"] in ("any", *folders)


def alter(original: Zip, fault: Fault) -> Zip:
    """Return a zip as a ``revised`` or ``evil_zip`` fault has it."""
    name, text = unpack(original.data)
    if fault.kind == "revised":
        data = pack((name, [_revised(text, fault.parameters["rows"])]))
        return Zip(data, original.since + _REVISED_SECONDS).summed()
    return Zip(pack(*_SHAPES[fault.parameters["shape"]](name, text)), original.since).summed()


def wrong_sum(sums: bytes) -> bytes:
    """Return a CHECKSUM's text with another sum of the same look."""
    told, name = sums.split(b" ", 1)
    return bytes(told[::-1] if told[::-1] != told else told.translate(bytes.maketrans(b"0a", b"a0"))) + b" " + name


def _revised(text: str, count: int) -> str:
    """Change the amount in so many rows, spread evenly: a kline's volume, a trade's quantity, an open interest."""
    lines = text.splitlines()
    first = _headed(text)
    total = len(lines) - first
    for place in range(min(count, total)):
        at = first + place * total // min(count, total)
        cells = lines[at].split(",")
        column = 5 if len(cells) == 12 else 2
        value = Decimal(cells[column])
        cells[column] = f"{value + (1 if value > 1 else Decimal('0.00001')):f}"
        lines[at] = ",".join(cells)
    return "\n".join(lines) + "\n"


def _headed(text: str) -> bool:
    """Whether a file's first line is a header (a row of metrics begins with a date, all others with a number)."""
    return not text[:1].isdigit()


def _with_header(text: str) -> str:
    first = text.partition("\n")[0]
    return f"{first if _headed(text) else _HEADERS[first.count(',') + 1]}\n{text}"


def _with_column(text: str) -> str:
    return "".join(f"{line},0\n" for line in text.splitlines())


def _torn(text: str) -> str:
    last = text.rstrip("\n").rpartition("\n")[2]
    return text[: -len(last) // 2 - 1]


def _half(text: str) -> str:
    lines = text.splitlines(keepends=True)
    first = _headed(text)
    return "".join(lines[: first + (len(lines) - first) // 2])


Members = Iterable[tuple[str, list[str]]]
_SHAPES: dict[str, Callable[[str, str], Members]] = {
    "two_members": lambda name, text: [(name, [text]), (f"more-{name}", [text])],
    "parent_path": lambda _, text: [("../x.csv", [text])],
    "header": lambda name, text: [(name, [_with_header(text)])],
    "extra_column": lambda name, text: [(name, [_with_column(text)])],
    "torn_row": lambda name, text: [(name, [_torn(text)])],
    "wrong_symbol_name": lambda name, text: [(f"OTHERUSDT-{name.partition('-')[2]}", [text])],
    "partial": lambda name, text: [(name, [_half(text)])],
}
