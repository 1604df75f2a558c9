"""The folder of a demo, made anew each time, and the stand-in that it follows."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from filelock import Timeout

from deployments import system
from deployments.demo_steps import SYMBOLS
from deployments.processes import Children
from lake import locks
from lake.errors import BadInputError, LakeError
from lake.layout import Layout

FOLDER = Path("demo-data")
_MARK = "# Made by `crypto-lake demo` or `up --demo`, which take this whole folder away when they run again.\n"
_MADE = "# Made by `crypto-lake demo`"


def clear(base: Path) -> None:
    """Make the folder anew, empty but for its mark.

    Raises:
        BadInputError: it is there and is not one that a demo made.
        LakeError: the lake in it is up.
    """
    config = base / "config.yml"
    if base.exists() and any(base.iterdir()):
        if not config.is_file() or not config.read_text(encoding="utf-8").startswith(_MADE):
            raise BadInputError(f"{base}: is there, and no demo made it: move it away, or stand elsewhere")
        _refuse_one_that_is_up(Layout(base), config)
        system.end_left(Layout(base))
        shutil.rmtree(base)
    base.mkdir(parents=True, exist_ok=True)
    config.write_text(_MARK, encoding="utf-8")


def _refuse_one_that_is_up(layout: Layout, config: Path) -> None:
    try:
        with locks.up(layout).acquire(blocking=False):
            return
    except Timeout:
        raise LakeError(f"{layout.base}: is up: LAKE_CONFIG={config} crypto-lake down stops it") from None


def stand_in(children: Children, base: Path, rate: float) -> dict[str, str]:
    """Start the stand-in; return its addresses once it listens.

    Args:
        children: Who ends it.
        base: The demo's folder.
        rate: Trades a second of an average pair.
    """
    ready, ports = base / "stand-in.json", ("--ws-port", "0", "--rest-port", "0", "--control-port", "0")
    child = children.start(
        "stand-in", "-m", "simulator", "--symbols", ",".join(SYMBOLS), "--rate", str(rate), *ports,
        "--ready-file", str(ready),
    )  # fmt: skip
    child.wait_for(ready.exists, 60)
    return dict(json.loads(ready.read_text(encoding="utf-8")))


def configure(base: Path, urls: Mapping[str, str], more: str = "") -> Path:
    """Write the demo's config.yml, and return its path.

    Args:
        base: The demo's folder.
        urls: The stand-in's addresses.
        more: Further lines of it.
    """
    hosts = "".join(f"  {name}: {urls[name]}\n" for name in ("ws_url", "rest_url", "futures_url", "archive_url"))
    path = base / "config.yml"
    path.write_text(
        f"{_MARK}# Look at it with: LAKE_CONFIG=demo-data/config.yml crypto-lake sql 'FROM bars_1m LIMIT 5'\n"
        f"base_path: .\nsymbols: [{', '.join(SYMBOLS)}]\nbinance:\n{hosts}collector: {{rotate_seconds: 10}}\n"
        f"macro_minute: {{yahoo_url: '{urls['yahoo_url']}'}}\n{more}",
        encoding="utf-8",
    )
    return path
