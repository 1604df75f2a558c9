"""A file of the lake that cannot be read: one line that names it, and what to do."""

from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lake import derivatives_store, kline_store, macro_store, read
from lake.errors import LakeError
from lake.files import set_aside

DAY = date(2025, 10, 20)
STORES = {
    "bars": (lambda layout: layout.day_file("SOLUSDT", DAY), lambda layout: read.day(layout, "SOLUSDT", DAY),
             "transform its hours again"),
    "klines": (lambda layout: layout.kline_file("SOLUSDT", DAY, "1m"),
               lambda layout: kline_store.read(layout, "SOLUSDT", "1m", DAY), "backfill its day anew"),
    "fundings": (lambda layout: layout.funding_file("SOLUSDT", 2025),
                 lambda layout: derivatives_store.fundings(layout, "SOLUSDT", 2025),
                 "run derivatives-hour for it anew"),
    "interests": (lambda layout: layout.open_interest_file("SOLUSDT", DAY),
                  lambda layout: derivatives_store.interests(layout, "SOLUSDT", DAY),
                  "run derivatives-hour for it anew"),
    "macro": (lambda layout: layout.macro_file("SPY", DAY),
              lambda layout: macro_store.read(layout.macro_file("SPY", DAY)),
              "run macro-minute with lookback_days that reach back to its day"),
}  # fmt: skip


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("torn", [True, False])
def test_a_file_that_is_torn_or_of_other_columns_is_named_with_the_remedy(layout, store, torn):
    place, reader, remedy = STORES[store]
    path = place(layout)
    path.parent.mkdir(parents=True)
    if torn:
        path.write_bytes(b"PAR1 torn")
    else:
        pq.write_table(pa.table({"other": [1]}), path)
    with pytest.raises(LakeError) as error:
        reader(layout)
    if torn:
        assert str(error.value).startswith(f"{path}: damaged (no whole Parquet file: ")
        assert str(error.value).endswith("): crypto-lake verify sets it aside and rebuilds it")
    else:
        assert str(error.value).startswith(f"{path}: cannot be read (")
        assert str(error.value).endswith(f"): move it away, and {remedy}")


def test_a_damaged_file_is_set_aside_beside_those_before_it(tmp_path):
    path = tmp_path / "record.parquet"
    for number, name in enumerate(["record.parquet.damaged", "record.parquet.damaged-2", "record.parquet.damaged-3"]):
        path.write_text(str(number))
        assert set_aside(path) == tmp_path / name
        assert not path.exists()
        assert (tmp_path / name).read_text() == str(number)
