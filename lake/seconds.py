"""1-second bars from events: exact decimals in DuckDB, the nearest double at the very end.

Source of the rules: the contract's "1-second bar"; `sql/once.sql` (each trade once), `sql/bars.sql` (bars, flat bars,
complete).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from lake import duck
from lake.contradictions import Contradiction
from lake.events import Events
from lake.numbering import AROUND, Numberings, Traded
from lake.schemas import BARS
from lake.surroundings import Edge, Piece, Run, Surroundings

_QUOTE_PER_BASE = 10**8  # quote_units have 16 decimals, base_units 8
_EDGES = pa.schema(
    [
        *((name, pa.int64()) for name in ("hour_us", "until_us", "before_id")),
        ("before_price", pa.string()), ("after_id", pa.int64()),
    ]
)  # fmt: skip
_ENDS = pa.schema(
    [
        *((name, pa.int64()) for name in ("hour_us", "first_id", "last_id")),
        *((name, pa.bool_()) for name in ("held_before", "held_after")),
    ]
)
_TAKEN = pa.schema([(name, pa.int64()) for name in ("numbering", "first_id", "last_id")])


def trace(events: Events, hours: Sequence[int]) -> dict[int, list[Traded]]:
    """Return of each hour the seconds with trades that decide where a numbering begins (`lake.numbering`)."""
    found: dict[int, list[Traded]] = {hour: [] for hour in hours}
    rows = events.con.execute(duck.sql("trace"), {"hours": list(hours), "around": AROUND}).fetchall()
    for hour, second, low, high in rows:
        found[hour].append(Traded(second, low, high))
    return found


def hold(events: Events, hours: Sequence[int], numberings: Numberings) -> dict[int, list[Piece]]:
    """Choose the trades of some hours, each once in its numbering, and return what each piece of each hour holds."""
    values = {"hours": list(hours), "starts": list(numberings.starts)}
    events.con.execute(duck.sql("once"), values)
    events.con.execute(duck.sql("held"))
    return _held(events, hours, numberings)


def _held(events: Events, hours: Sequence[int], numberings: Numberings) -> dict[int, list[Piece]]:
    edges = {row[0]: Edge(*row) for row in events.con.sql(duck.sql("hour_edges")).fetchall()}
    runs: dict[int, list[Run]] = {start: [] for start in edges}
    for start, first_id, last_id in events.con.sql(duck.sql("runs")).fetchall():
        runs[start].append(Run(first_id, last_id))
    return {
        hour: [Piece(start, edges.get(start), tuple(runs.get(start, ()))) for start, _ in numberings.pieces(hour)]
        for hour in hours
    }


def leave(
    events: Events, hours: Sequence[int], numberings: Numberings, taken: Iterable[tuple[int, int, int]]
) -> tuple[dict[int, list[Piece]], list[Contradiction]]:
    """Leave ids to other hours that hold them and cannot be built again.

    Args:
        events: The events, after `hold`.
        hours: The hours that are built.
        numberings: The numberings.
        taken: Runs of ids: when their numbering begins (0: the first), first and last id.

    Returns:
        What the hours hold then, and the lines that were left out.
    """
    events.con.register("taken", _table(list(taken), _TAKEN))
    rows = events.con.execute(duck.sql("left_out"), {"hours": list(hours)}).fetchall()
    events.con.execute(duck.sql("leave"))
    return _held(events, hours, numberings), [Contradiction.of(*row) for row in rows]


def contradictions(events: Events, hours: Sequence[int], numberings: Numberings) -> list[Contradiction]:
    """Return the lines that contradict the trades last chosen by `hold`."""
    ((any_doubt,),) = events.con.sql(duck.sql("doubt")).fetchall()
    if not any_doubt:
        return []
    values = {"hours": list(hours), "starts": list(numberings.starts)}
    return [Contradiction.of(*row) for row in events.con.execute(duck.sql("contradictions"), values).fetchall()]


def told(events: Events, hour: int, numberings: Numberings) -> int:
    """Return how many trade ids the raw lines of an hour name, also those that another hour has by another line."""
    values = {"hour": hour, "starts": list(numberings.starts)}
    ((count,),) = events.con.sql(duck.sql("told"), params=values).fetchall()
    return int(count)


def build(
    events: Events, hours: Mapping[int, Sequence[Surroundings]], doubtful: Collection[int]
) -> dict[int, pa.Table]:  # fmt: skip
    """Return the bars of the hours last given to `hold`, each hour's as `lake.schemas.BARS`, sorted by window_start.

    Args:
        events: The events, after `hold`.
        hours: The surroundings of the pieces of each hour.
        doubtful: The seconds that lines with one id and different contents name: they are not complete.
    """
    pieces = [piece for each in hours.values() for piece in each]
    edges = [
        (s.start, s.end, s.before and s.before.last_id, s.before and s.before.last_price, s.after and s.after.first_id)
        for s in pieces
    ]
    ends = [(s.start, run.first_id, run.last_id, *held) for s in pieces for run, *held in s.ends]
    events.con.register("edge_rows", _table(edges, _EDGES))
    events.con.register("ends", _table(ends, _ENDS))
    found = events.con.sql(duck.sql("bars")).to_arrow_table()
    table = _finished(found, events.symbol)
    if doubtful or any(piece.doubt_before or piece.doubt_after for piece in pieces):
        table = _doubted(table, pieces, doubtful)
    hour_of = found["hour_us"]
    return {hour: table.filter(pc.equal(hour_of, hour)) for hour in hours}


def _doubted(table: pa.Table, pieces: Sequence[Surroundings], doubtful: Collection[int]) -> pa.Table:
    """Take ``complete`` from the doubtful seconds, and from the flat ones whose proof or price comes from one of them."""
    start = table["window_start"].cast(pa.int64()).to_pylist()
    traded = [count > 0 for count in table["trade_count"].to_pylist()]
    proved = table["complete"].to_pylist()
    for piece in pieces:
        mine = [at for at, second in enumerate(start) if piece.start <= second < piece.end]
        for order, doubt in ((mine, piece.doubt_before), (mine[::-1], piece.doubt_after)):
            for at in order:
                doubt = start[at] in doubtful if traded[at] else doubt
                proved[at] = proved[at] and not doubt and start[at] not in doubtful
    column = BARS.arrow.field("complete")
    return table.set_column(table.column_names.index("complete"), column, pa.array(proved, pa.bool_()))


def _table(rows: Sequence[tuple[object, ...]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )


def _finished(found: pa.Table, symbol: str) -> pa.Table:
    """Add symbol and vwap. The quotient of two integers is rounded once, correctly, by Python and not by SQL."""
    pairs = zip(found["quote_units"].to_pylist(), found["base_units"].to_pylist(), strict=True)
    vwap = [int(quote) / (int(base) * _QUOTE_PER_BASE) if base else None for quote, base in pairs]
    table = found.drop_columns(["hour_us", "quote_units", "base_units"])
    table = table.append_column("vwap", pa.array(vwap, pa.float64()))
    table = table.append_column("symbol", pa.array([symbol] * len(table), pa.string()))
    return BARS.conform(table)
