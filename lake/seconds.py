"""1-second bars from events: exact decimals in DuckDB, the nearest double at the very end.

Source of the rules: the contract's "1-second bar"; `sql/held.sql` (each trade once), `sql/bars.sql` (bars, flat bars,
complete).
"""

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from lake import duck
from lake.events import Events
from lake.schemas import BARS
from lake.surroundings import Edge, Run, Surroundings

_QUOTE_PER_BASE = 10**8  # quote_units have 16 decimals, base_units 8
_EDGES = pa.schema(
    [("hour_us", pa.int64()), ("before_id", pa.int64()), ("before_price", pa.string()), ("after_id", pa.int64())]
)
_ENDS = pa.schema(
    [
        *((name, pa.int64()) for name in ("hour_us", "first_id", "last_id")),
        *((name, pa.bool_()) for name in ("held_before", "held_after")),
    ]
)
_NEVER = pa.schema([(name, pa.int64()) for name in ("hour_us", "before_id", "after_id", "from_us", "to_us")])


def hold(events: Events, hours: Sequence[int]) -> dict[int, tuple[Edge | None, list[Run]]]:
    """Choose the trades of some hours, each once, and tell what each hour holds: its edge and runs of ids."""
    events.con.execute(duck.sql("held"), {"hours": list(hours)})
    found: dict[int, tuple[Edge | None, list[Run]]] = {hour: (None, []) for hour in hours}
    for row in events.con.sql(duck.sql("hour_edges")).fetchall():
        found[row[0]] = (Edge(*row), [])
    for hour, first_id, last_id in events.con.sql(duck.sql("runs")).fetchall():
        found[hour][1].append(Run(first_id, last_id))
    return found


def told(events: Events, hour: int) -> int:
    """Return how many trade ids the raw lines of an hour name, also those that another hour has by another line."""
    ((count,),) = events.con.sql(duck.sql("told"), params={"hour": hour}).fetchall()
    return int(count)


def build(events: Events, surroundings: Mapping[int, Surroundings]) -> dict[int, pa.Table]:
    """Return the bars of the hours last given to `hold`, each hour's as `lake.schemas.BARS`, sorted by window_start."""
    edges = [
        (hour, s.before and s.before.last_id, s.before and s.before.last_price, s.after and s.after.first_id)
        for hour, s in surroundings.items()
    ]
    ends = [(hour, run.first_id, run.last_id, *held) for hour, s in surroundings.items() for run, *held in s.ends]
    events.con.register("edge_rows", _table(edges, _EDGES))
    never = [
        (hour, g.first_id - 1, g.last_id + 1, g.from_us, g.to_us) for hour, s in surroundings.items() for g in s.never
    ]
    events.con.register("ends", _table(ends, _ENDS))
    events.con.register("never", _table(never, _NEVER))
    found = events.con.sql(duck.sql("bars")).to_arrow_table()
    table = _finished(found, events.symbol)
    hour_of = found["hour_us"]
    return {hour: table.filter(pc.equal(hour_of, hour)) for hour in surroundings}


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
