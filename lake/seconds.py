"""1-second bars from events: exact decimals in DuckDB, the nearest double at the very end.

Source of the rules: the contract's "1-second bar"; `sql/contents.sql` (each trade once), `sql/bars.sql` (bars, flat
bars, complete).
"""

from collections.abc import Mapping, Sequence

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
_NEVER = pa.schema([(name, pa.int64()) for name in ("hour_us", "before_id", "after_id", "from_us", "to_us")])


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
    events.con.execute(duck.sql("contents"), values)
    events.con.execute(duck.sql("held"))
    edges = {row[0]: Edge(*row) for row in events.con.sql(duck.sql("hour_edges")).fetchall()}
    runs: dict[int, list[Run]] = {}
    for start, first_id, last_id in events.con.sql(duck.sql("runs")).fetchall():
        runs.setdefault(start, []).append(Run(first_id, last_id))
    return {
        hour: [Piece(start, edges.get(start), tuple(runs.get(start, ()))) for start, _ in numberings.pieces(hour)]
        for hour in hours
    }


def contradictions(events: Events) -> list[Contradiction]:
    """Return the lines that contradict the trades last chosen by `hold`, in order. `build` needs this called before."""
    events.con.execute(duck.sql("contradictions"))
    rows = events.con.sql("SELECT trade_id, differs, held, other FROM contradictions ORDER BY ALL").fetchall()
    return [Contradiction(*row) for row in rows]


def build(events: Events, hours: Mapping[int, Sequence[Surroundings]]) -> dict[int, pa.Table]:
    """Return the bars of the hours last given to `hold`, each hour's as `lake.schemas.BARS`, sorted by window_start."""
    pieces = [piece for each in hours.values() for piece in each]
    edges = [
        (s.start, s.end, s.before and s.before.last_id, s.before and s.before.last_price, s.after and s.after.first_id)
        for s in pieces
    ]
    ends = [(s.start, run.first_id, run.last_id, *held) for s in pieces for run, *held in s.ends]
    never = [(s.start, gap.first_id - 1, gap.last_id + 1, gap.from_us, gap.to_us) for s in pieces for gap in s.never]
    events.con.register("edge_rows", _table(edges, _EDGES))
    events.con.register("ends", _table(ends, _ENDS))
    events.con.register("never", _table(never, _NEVER))
    found = events.con.sql(duck.sql("bars")).to_arrow_table()
    table = _finished(found, events.symbol)
    hour_of = found["hour_us"]
    return {hour: table.filter(pc.equal(hour_of, hour)) for hour in hours}


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
