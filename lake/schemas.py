"""Every column of the lake, declared once: name, type, unit, meaning.

The Parquet schema, the check on writing and the data dictionary (`docs/dictionary.md`) all follow from here.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import pyarrow as pa

from lake.errors import LakeError

UTC_US = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class Column:
    """One column: its name, Arrow type, unit and meaning.

    ``null``: it may be null. ``added``: files of earlier versions do not have it; there it is read as null.
    """

    name: str
    type: pa.DataType
    unit: str
    meaning: str
    null: bool = False
    added: bool = False


@dataclass(frozen=True)
class Schema:
    """A table of the lake: what a row is, and its columns in order."""

    name: str
    grain: str
    columns: tuple[Column, ...]

    @cached_property
    def arrow(self) -> pa.Schema:
        """The columns as an Arrow schema."""
        return pa.schema([pa.field(c.name, c.type, c.null) for c in self.columns])

    @property
    def names(self) -> list[str]:
        """The column names in order."""
        return [column.name for column in self.columns]

    def conform(self, table: pa.Table) -> pa.Table:
        """Return the table with exactly these columns, in order and type; an ``added`` one that is missing as nulls.

        Raises:
            LakeError: a column is missing, extra, not convertible without loss, or null where it must not be.
        """
        for column in self.columns:
            if column.added and column.name not in table.column_names:
                table = table.append_column(column.name, pa.nulls(table.num_rows, column.type))
        if set(table.column_names) != set(self.names):
            odd = sorted(set(table.column_names) ^ set(self.names))
            raise LakeError(f"{self.name}: columns missing or unknown: {', '.join(odd)}")
        try:
            table = table.select(self.names).cast(self.arrow, safe=True)
            table.validate(full=False)
        except (pa.ArrowInvalid, ValueError) as error:
            raise LakeError(f"{self.name}: {error}") from error
        for column in self.columns:
            if not column.null and table[column.name].null_count:
                raise LakeError(f"{self.name}: {column.name} has nulls and must not")
        return table

    def empty(self) -> pa.Table:
        """A table with these columns and no rows."""
        return self.arrow.empty_table()


_PAIR = Column("symbol", pa.string(), "", "the pair, in the exchange's capitals")
_CONTRACT = replace(_PAIR, meaning="the contract, in the exchange's capitals")


def _prices(unit: str) -> tuple[Column, ...]:
    """The four prices of a candle that somebody else has made."""
    said = {"open": "first price", "high": "highest price", "low": "lowest price", "close": "last price"}
    return tuple(Column(name, pa.float64(), unit, meaning) for name, meaning in said.items())


BARS = Schema(
    "bars",
    "one symbol, one second (or minute); sorted by window_start; (symbol, window_start) unique",
    (
        _PAIR,
        Column(
            "window_start", UTC_US, "UTC", "start of the second; the bar holds trades with start <= T < start + 1 s"
        ),
        Column(
            "open", pa.float64(), "quote per base", "price of the lowest trade id; of a flat bar the close before it"
        ),
        Column("high", pa.float64(), "quote per base", "highest price"),
        Column("low", pa.float64(), "quote per base", "lowest price"),
        Column("close", pa.float64(), "quote per base", "price of the highest trade id"),
        Column("volume_base", pa.float64(), "base", "sum of quantities, rounded once from the exact decimal"),
        Column("volume_quote", pa.float64(), "quote", "sum of price x quantity, rounded once from the exact decimal"),
        Column("trade_count", pa.int64(), "trades", "0 in a flat bar"),
        Column("vwap", pa.float64(), "quote per base", "volume_quote / volume_base; null in a flat bar", null=True),
        Column("bid", pa.float64(), "quote per base", "best bid of the last quote received in the second", null=True),
        Column("ask", pa.float64(), "quote per base", "best ask of that quote", null=True),
        Column("spread", pa.float64(), "quote per base", "ask - bid, rounded once", null=True),
        Column("taker_buy_base", pa.float64(), "base", "part of volume_base whose taker bought"),
        Column("taker_buy_quote", pa.float64(), "quote", "part of volume_quote whose taker bought"),
        Column("first_trade_id", pa.int64(), "", "lowest trade id; null in a flat bar", null=True),
        Column("last_trade_id", pa.int64(), "", "highest trade id; null in a flat bar", null=True),
        Column("complete", pa.bool_(), "", "it is proved by trade ids that no trade of the window is missing"),
    ),
)

RAW = Schema(
    "raw",
    "one event (trade or best quote) as the exchange sent it; JSON lines, in the order received",
    (
        _PAIR,
        Column(
            "ts_event",
            pa.int64(),
            "us since 1970 UTC",
            "a trade's trade time T; null for a spot quote, which has none",
            null=True,
        ),
        Column("ts_recv", pa.int64(), "us since 1970 UTC", "when it was received; can be before ts_event"),
        Column("price", pa.string(), "quote per base", "a trade's price, the exchange's decimal text", null=True),
        Column("qty", pa.string(), "base", "a trade's quantity, the exchange's decimal text", null=True),
        Column("side", pa.string(), "", "the taker's side of a trade: buy or sell", null=True),
        Column("bid", pa.string(), "quote per base", "a quote's best bid, decimal text", null=True),
        Column("ask", pa.string(), "quote per base", "a quote's best ask, decimal text", null=True),
        Column("stream", pa.string(), "", "trade or bookTicker"),
        Column("trade_id", pa.int64(), "", "a trade's id, consecutive within its symbol", null=True),
        Column(
            "first_trade_id", pa.int64(), "", "of an aggregate: its lowest id, trade_id being its highest", null=True
        ),
        Column("update_id", pa.int64(), "", "a quote's order book update id; increasing, with holes", null=True),
        Column("bid_qty", pa.string(), "base", "size at the best bid, decimal text", null=True),
        Column("ask_qty", pa.string(), "base", "size at the best ask, decimal text", null=True),
    ),
)

KLINES = Schema(
    "klines",
    "one symbol, one interval's candle as the exchange published it; sorted by open_time; (symbol, open_time) unique",
    (
        _PAIR,
        Column("open_time", UTC_US, "UTC", "start of the window on the interval's grid in which the candle opens"),
        *_prices("quote per base"),
        Column("volume", pa.float64(), "base", "sum of quantities"),
        Column(
            "close_time",
            UTC_US,
            "UTC",
            "the candle's last millisecond, from whichever source: .999, unless it opens off the grid",
        ),
        Column("quote_volume", pa.float64(), "quote", "sum of price x quantity"),
        Column("trades", pa.int64(), "trades", "0 in a candle without trades, which is flat at the last close"),
        Column("taker_base_vol", pa.float64(), "base", "part of volume whose taker bought"),
        Column("taker_quote_vol", pa.float64(), "quote", "part of quote_volume whose taker bought"),
        Column(
            "exchange_open_time",
            UTC_US,
            "UTC",
            "the candle's own open time, where it does not cover its window alone: it opens off the grid, or another "
            "candle opened in the same window and is in the quarantine; else null",
            null=True,
            added=True,
        ),
    ),
)

FUNDING = Schema(
    "funding",
    "one USD-M perpetual, one funding; sorted by funding_time; (symbol, funding_time) unique",
    (
        _CONTRACT,
        Column(
            "funding_time",
            UTC_US,
            "UTC",
            "when it was paid; some milliseconds after the full hour; all within a minute of an hour are one funding, "
            "and REST's row is kept",
        ),
        Column("funding_rate", pa.float64(), "", "share of the position's value that longs pay to shorts"),
        Column("mark_price", pa.float64(), "quote per base", "mark price then; the archive has none", null=True),
    ),
)

OPEN_INTEREST = Schema(
    "open_interest",
    "one USD-M perpetual, one moment on the 5-minute grid; sorted by ts; (symbol, ts) unique",
    (
        _CONTRACT,
        Column(
            "ts",
            UTC_US,
            "UTC",
            "the moment of the snapshot: REST's timestamp; of the archive, the end of the row's five minutes, which "
            "its label names before 2026-06-25; from then on the label names their start",
        ),
        Column(
            "open_interest",
            pa.float64(),
            "base",
            "contracts open on all accounts; of two rows for one moment a value is kept over a 0, then the greater",
        ),
        Column("open_interest_value", pa.float64(), "quote", "their value"),
    ),
)

MACRO = Schema(
    "macro",
    "one ticker, one minute in which Yahoo has a price; sorted by ts; (ticker, ts) unique",
    (
        Column("ticker", pa.string(), "", "Yahoo's name of it, such as EURUSD=X"),
        Column("ts", UTC_US, "UTC", "start of the minute"),
        *_prices("the ticker's currency"),
        Column(
            "volume",
            pa.float64(),
            "shares or contracts",
            "0 for currencies, which have none; null where Yahoo gave none",
            null=True,
        ),
    ),
)

PARITY = Schema(
    "parity",
    "one symbol, one UTC day: how many complete minutes agree with the exchange's klines; (symbol, day) unique",
    (
        _PAIR,
        Column("day", pa.date32(), "UTC", "the day"),
        Column("complete_minutes", pa.int64(), "minutes", "our minutes that are proved complete"),
        Column("compared", pa.int64(), "minutes", "of these, those that have a kline"),
        Column("agree", pa.int64(), "minutes", "of these, those that equal it (rule R7)"),
        Column("share", pa.float64(), "", "agree / compared"),
        Column("hole_of_ours", pa.int64(), "minutes", "that differ, and whose trade ids do not run on"),
        Column("counted_twice", pa.int64(), "minutes", "that differ, and whose trade ids overlap"),
        Column("late_trade", pa.int64(), "minutes", "that differ in the count, though ids run on"),
        Column("revision_upstream", pa.int64(), "minutes", "that differ in values alone"),
        Column("klines_missing", pa.int64(), "minutes", "complete, without a kline"),
        Column(
            "klines_off_grid",
            pa.int64(),
            "minutes",
            "complete, with a kline that covers another minute in part",
            null=True,
            added=True,
        ),
        Column("validated_minutes", pa.int64(), "minutes", "of the day that were looked at"),
    ),
)

GAPS = Schema(
    "gaps",
    "one symbol, one stretch of trade ids that the lake does not hold, or one place where ids start again; sorted by "
    "first_missing_id",
    (
        _PAIR,
        Column("channel", pa.string(), "", "trade"),
        Column(
            "first_missing_id",
            pa.int64(),
            "",
            "lowest id of the stretch; the id before it is held; of a new numbering, the last old id + 1",
        ),
        Column(
            "last_missing_id",
            pa.int64(),
            "",
            "highest id of the stretch; the id after it is held; of a new numbering, the first new id - 1",
        ),
        Column("from_time", UTC_US, "UTC", "start of the second that has the trade before the stretch"),
        Column("to_time", UTC_US, "UTC", "start of the second that has the trade after the stretch"),
        Column("reason", pa.string(), "", "why the state is what it is; of never existed, the klines that prove it"),
        Column(
            "state",
            pa.string(),
            "",
            "never existed: no trades have these ids; new numbering: ids start again at to_time",
        ),
        Column("repaired_from", pa.string(), "", "where the trades were recovered from", null=True),
    ),
)

_EXCHANGE = Column("exchange", pa.string(), "", "binance")


def _as_in_views(columns: tuple[Column, ...], time: str) -> tuple[Column, ...]:
    return tuple(replace(column, name="window_start") if column.name == time else column for column in columns)


KLINE_ROWS = Schema(
    "slice_klines",
    "a slice of klines: one symbol, one candle; by symbol as asked for, then window_start",
    (_EXCHANGE, *_as_in_views(KLINES.columns, "open_time")),
)

MACRO_ROWS = Schema(
    "slice_macro",
    "a slice of macro minutes: one ticker, one minute; by ticker as asked for, then window_start",
    _as_in_views(MACRO.columns, "ts"),
)

FUNDING_HOURS = Schema(
    "slice_funding",
    "a slice of funding: one USD-M perpetual, one hour that has any; by symbol as asked for, then window_start",
    (
        _CONTRACT,
        Column("window_start", UTC_US, "UTC", "start of the hour"),
        Column("funding_rate", pa.float64(), "", "of the funding in force when the hour ends", null=True),
        Column("mark_price", pa.float64(), "quote per base", "mark price when that was paid", null=True),
        Column("open_interest", pa.float64(), "base", "the hour's last: the snapshot of minute 55", null=True),
        Column("open_interest_value", pa.float64(), "quote", "its value", null=True),
    ),
)

ALL = (BARS, RAW, KLINES, FUNDING, OPEN_INTEREST, MACRO, PARITY, GAPS, KLINE_ROWS, MACRO_ROWS, FUNDING_HOURS)
"""Every table, in the order of the data dictionary."""
