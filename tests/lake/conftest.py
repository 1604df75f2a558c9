from datetime import UTC, datetime

import pytest

from lake import files
from tests.lake.sliceable import bars


@pytest.fixture
def lake(layout):
    """Two symbols around midnight: one whose first day is compacted, one with hour files only."""
    late, early = datetime(2025, 10, 20, 23, 59, 50, tzinfo=UTC), datetime(2025, 10, 21, tzinfo=UTC)
    files.write_parquet(layout.day_file("SOLUSDT", late.date()), bars("SOLUSDT", late, 10), "snappy")
    files.write_parquet(layout.hour_file("SOLUSDT", early), bars("SOLUSDT", early, 10), "snappy")
    files.write_parquet(layout.hour_file("ADAUSDT", early), bars("ADAUSDT", early, 70, 0.5), "snappy")
    return layout
