"""Names below the lake's folders."""

import pytest


@pytest.mark.parametrize("name", ["A" * 41, "sol", "NUL", "SOL-USDT", ".hidden", "lost+found", "a b"])
def test_a_folder_that_is_named_like_no_symbol_is_nobodys(layout, name):
    for root in (layout.parquet, layout.raw, layout.backfill):
        for one in ("SOLUSDT", name):
            (root / one).mkdir(parents=True)
    assert layout.bar_symbols() == layout.raw_symbols() == layout.kline_symbols() == ["SOLUSDT"]


@pytest.mark.parametrize("name", ["spy", "A" * 41, ".SPY", "CON", "S Y"])
def test_a_folder_that_is_named_like_no_ticker_is_nobodys(layout, name):
    for one in ("EURUSD=X", name):
        (layout.macro / one).mkdir(parents=True)
    assert layout.tickers() == ["EURUSD=X"]
