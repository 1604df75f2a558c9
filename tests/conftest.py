import json
import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from lake.layout import Layout
from lake.windows import moment

REALDATA = Path(__file__).resolve().parent.parent.parent / "shared" / "realdata"
DAY = 1_760_918_400_000_000  # 2025-10-20T00:00:00Z

# Started in the background (nohup … &), pytest ignores these signals, and so would every program that a test starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if os.name != "nt" and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items):
    """The longest files first: begun last, one of them would be waited for alone (`make test` keeps this order)."""
    minutes = {}
    for item in items:
        asked = [mark.kwargs.get("minutes", 0.5) for mark in item.iter_markers("slow")]
        minutes[item.path] = max([minutes.get(item.path, 0), *asked])
    items.sort(key=lambda item: -minutes[item.path])


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("LAKE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def layout(tmp_path):
    return Layout(tmp_path / "lake")


@pytest.fixture(scope="session")
def realdata():
    """The folder of real recorded data; it is not part of the project."""
    if not REALDATA.is_dir():
        pytest.skip("the recorded real data is not beside this checkout")
    return REALDATA


@pytest.fixture
def small_disk():
    """A file system of a megabyte and a half."""
    folder = Path(tempfile.mkdtemp())
    if (
        os.geteuid()
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1536k,mode=0700", "tmpfs", folder]).returncode
    ):
        folder.rmdir()
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)
    folder.rmdir()


@pytest.fixture
def exfat():
    """A real disk without hard links and permissions: exFAT, by FUSE."""
    tools = [shutil.which(name) for name in ("mkfs.exfat", "mount.exfat-fuse", "losetup")]
    if os.geteuid() or None in tools or not Path("/dev/fuse").exists():
        pytest.skip("no exFAT can be mounted here: apt-get install exfat-fuse exfatprogs, as root")
    make, mount, losetup = tools
    with tempfile.TemporaryDirectory() as name:
        image, folder = Path(name, "image"), Path(name, "disk")
        folder.mkdir()
        with image.open("wb") as handle:
            handle.truncate(64 << 20)
        subprocess.run([make, image], check=True, stdout=subprocess.DEVNULL)
        loop = subprocess.run([losetup, "-f", "--show", image], capture_output=True, text=True).stdout.strip()
        if not loop or subprocess.run([mount, loop, folder], stdout=subprocess.DEVNULL).returncode:
            subprocess.run([losetup, "-d", loop] if loop else ["true"], check=True)
            pytest.skip("no exFAT can be mounted here")
        yield folder
        subprocess.run(["umount", folder], check=True)
        subprocess.run([losetup, "-d", loop], check=True)


def fill(folder):
    """Fill the disk that a folder is on to the last byte; return the file to remove to make room again."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as handle, suppress(OSError):
        while handle.write(bytes(1 << 16)):
            pass
    return ballast


class Raw:
    """Raw lines by hand: `trade`, `quote`, and `put`, which writes them as the next part of their day."""

    def __init__(self, layout, symbol="SOLUSDT"):
        self.layout, self.symbol = layout, symbol

    def trade(self, number, at, price="100.0", qty="1.0", side="buy", recv=None):
        """A trade at ``at`` seconds after 2025-10-20."""
        us = DAY + round(at * 1_000_000)
        return {
            "symbol": self.symbol, "ts_event": us,
            "ts_recv": us + 1000 if recv is None else DAY + round(recv * 1_000_000),
            "price": price, "qty": qty, "side": side, "bid": None, "ask": None, "stream": "trade", "trade_id": number,
        }  # fmt: skip

    def quote(self, number, at, bid="99.0", ask="101.0"):
        """A quote received ``at`` seconds after 2025-10-20."""
        return {
            "symbol": self.symbol, "ts_event": None, "ts_recv": DAY + round(at * 1_000_000), "price": None, "qty": None,
            "side": None, "bid": bid, "ask": ask, "stream": "bookTicker", "update_id": number,
        }  # fmt: skip

    def put(self, *lines, name=None):
        """Write lines (dicts, or bytes as they are) as one part, and return its path."""
        recv = next((line["ts_recv"] for line in lines if isinstance(line, dict)), DAY)
        folder = self.layout.raw_day(self.symbol, moment(recv).date())
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / (name or f"part_{len(list(folder.iterdir())) + 1:04d}.jsonl")
        path.write_bytes(b"".join(x if isinstance(x, bytes) else json.dumps(x).encode() + b"\n" for x in lines))
        return path


@pytest.fixture
def raw(layout):
    return Raw(layout)


@pytest.fixture
def raw_of(layout):
    return lambda symbol: Raw(layout, symbol)


@pytest.fixture
def small_lake(layout, raw, monkeypatch):
    """Something for every view of 2025-10-20 and 21, and the settings that name this lake."""
    from lake import transform
    from tests.lake.test_views import everything

    everything(layout, raw)
    raw.put(*(raw.trade(5 + n, 86_400 + 10 * n, str(100 + n % 7)) for n in range(400)))
    transform.run(layout, "SOLUSDT")
    monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))


def content(base):
    """Every file below a folder with its bytes, without logs, locks and the page of how the system is now."""
    return {
        path.relative_to(base).as_posix(): path.read_bytes()
        for path in sorted(base.rglob("*"))
        if path.is_file() and not {"logs", "locks"} & set(path.relative_to(base).parts) and path.name != "health.md"
    }
