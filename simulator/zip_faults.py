"""What faults do to a file of the archive: revisions, and zips that are wrong in ways their CHECKSUM does not tell."""

from collections.abc import Callable, Iterable
from decimal import Decimal

from simulator import odd_rows
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


def _alone(change: Callable[[str], str]) -> "Callable[[str, str], Members]":
    return lambda name, text: [(name, [change(text)])]


def _half(text: str) -> str:
    lines = text.splitlines(keepends=True)
    first = _headed(text)
    return "".join(lines[: first + (len(lines) - first) // 2])


def odd_sum(sums: bytes, shape: str) -> bytes:
    """Return a CHECKSUM's text in another form, or without the sum."""
    told, name = sums.split()
    return b"" if shape == "empty" else told.upper() + b" *" + name + b"\r\n"


Rows = list[odd_rows.Row]


def _of_klines(change: Callable[[Rows], Rows]) -> Callable[[str], str]:
    """Return what changes the rows of klines; other files stay as they are."""

    def changed(text: str) -> str:
        rows: Rows = [line.split(",") for line in text.splitlines()]
        return "".join(f"{','.join(row)}\n" for row in change(rows)) if len(rows[0]) == 12 else text

    return changed


def _some_odd(shape: str) -> Callable[[str], str]:
    """Return what makes every tenth row odd (`odd_rows.SHAPES`)."""
    return _of_klines(lambda rows: odd_rows.SHAPES[shape](rows, [number % 10 == 3 for number in range(len(rows))]))


def _fields(change: Callable[[int, str], str]) -> Callable[[str], str]:
    """Return what writes every field in another form, told its place and text."""
    return _of_klines(lambda rows: [[change(at, cell) for at, cell in enumerate(row)] for row in rows])


def _times(change: Callable[[int, int], int]) -> Callable[[str], str]:
    """Return what writes the two times of a row otherwise, told the row's number and the time."""
    return _of_klines(lambda rows: [
        [str(change(number, int(cell))) if at in (0, 6) else cell for at, cell in enumerate(row)]
        for number, row in enumerate(rows)
    ])  # fmt: skip


def _other_unit(time: int) -> int:
    return time // 1000 if time > 10**14 else time * 1000 + 999 * (time % 1000 == 999)


def _and_next(rows: Rows) -> Rows:
    last = rows[-1]
    day = 86_400_000 * (1000 if int(last[0]) > 10**14 else 1)
    return [*rows, [str(int(cell) + day) if at in (0, 6) else cell for at, cell in enumerate(last)]]


_TEXTS: dict[str, Callable[[str], str]] = {
    **{name: _some_odd(name) for name in odd_rows.SHAPES},
    "next_day": _of_klines(_and_next),
    "bom": lambda text: f"\ufeff{text}",
    "crlf": lambda text: text.replace("\n", "\r\n"),
    "spaces": _fields(lambda _, cell: f" {cell} "),
    "quotes": _fields(lambda _, cell: f'"{cell}"'),
    "scientific": _fields(lambda at, cell: cell if at in (0, 6, 8) else f"{Decimal(cell):E}"),
    "float_times": _fields(lambda at, cell: f"{cell}.0" if at in (0, 6, 8) else cell),
    "other_unit": _times(lambda _, time: _other_unit(time)),
    "mixed_units": _times(lambda number, time: _other_unit(time) if number % 2 else time),
    "no_unit": _times(lambda _, time: time // 10**6 if time > 10**14 else time // 1000),
    "empty": lambda _: "",
}
"""Shapes of a text alone; all but ``bom``, ``crlf`` and ``empty`` are of klines."""

Members = Iterable[tuple[str, list[str]]]
_SHAPES: dict[str, Callable[[str, str], Members]] = {
    "two_members": lambda name, text: [(name, [text]), (f"more-{name}", [text])],
    "parent_path": lambda _, text: [("../x.csv", [text])],
    "header": lambda name, text: [(name, [_with_header(text)])],
    "extra_column": lambda name, text: [(name, [_with_column(text)])],
    "torn_row": lambda name, text: [(name, [_torn(text)])],
    "wrong_symbol_name": lambda name, text: [(f"OTHERUSDT-{name.partition('-')[2]}", [text])],
    "partial": lambda name, text: [(name, [_half(text)])],
    **{shape: _alone(change) for shape, change in _TEXTS.items()},
}
