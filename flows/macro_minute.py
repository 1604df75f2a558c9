"""Macro minute bars from Yahoo, through yfinance."""

from datetime import UTC, datetime

from prefect import State, flow

from lake import settings
from lake.params import MacroDays, Tickers
from tasks import artifacts, progress
from tasks.macro import left_out, patiently, summary, update_macro
from tasks.runs import ended, named, reported


@flow(flow_run_name=named("macro"))
@reported
def macro_minute(tickers: Tickers | None = None, lookback_days: MacroDays | None = None) -> State:
    """Fetch the 1-minute bars of macro tickers: indices, currencies, futures, funds.

    Args:
        tickers: Yahoo's names, such as SPY or EURUSD=X. Left out: those of config.yml (macro_minute.tickers).
        lookback_days: Days to ask for, 1 to 30 (Yahoo keeps 30). Left out: since the newest minute held, at least
            macro_minute.runtime_lookback_days and at most 7; of a ticker without any, startup_backfill_days.
    """
    lake, now = settings.load(), datetime.now(UTC)
    wanted, codec = tickers or list(lake.macro_minute.tickers), lake.transformer.parquet_compression
    with progress.shown("macro") as shown:
        done, failed = patiently(
            wanted,
            lambda ticker: update_macro(lake.layout, ticker, lake.macro_minute, now, lookback_days, codec),
            shown,
        )
    rows = [
        {"ticker": r.ticker, "asked": r.asked, "new": r.new, "revised": r.revised, "null rows": r.nulls,
         "refused": r.refused, "also left out": left_out(r), "expected": r.expected,
         "without a price": r.without_price, "missing": r.missing,
         "newest": r.newest and f"{r.newest:%Y-%m-%d %H:%M}", "seconds": round(r.seconds, 2)} for r in done
    ]  # fmt: skip
    artifacts.table("macro-minute", rows, "Minutes fetched of each ticker; missing: the market was open and none came")
    return ended(summary(done), failed, sum(r.rows for r in done))
