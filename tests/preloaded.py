"""What takes long to import and is nobody's own here: `tests.shell` has it imported once.

Not the lake, and not Prefect: both read the environment when they are imported.
"""

import os
from importlib import import_module

os.environ["GX_ANALYTICS_ENABLED"] = "false"

for name in (
    "duckdb", "great_expectations", "griffe", "httpx", "jsonschema", "loguru", "opentelemetry.trace", "pandas",
    "pendulum", "prometheus_client", "pyarrow.compute", "pyarrow.parquet", "pydantic_settings", "requests",
    "rich.progress", "typer", "websockets.asyncio.client", "yfinance",
):  # fmt: skip
    import_module(name)
