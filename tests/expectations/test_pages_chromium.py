"""The pages as a reader sees them: in a real Chromium that has no way out, light and dark, wide and narrow."""

import re
import struct
import zlib
from datetime import timedelta

import pytest

from lake.layout import Layout
from tests import browser
from tests.expectations.small import SOL, START, bars, check, next_id, plant, write_hours
from tests.expectations.test_own import allow

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not browser.executable(), reason=browser.MISSING),
]
EVIL = "<script>document.title='owned'</script><img src=x onerror=document.title='owned'>"
LOOKS = [(1200, False), (1200, True), (390, False), (390, True)]


@pytest.fixture(scope="module")
def chromium():
    with browser.chromium() as found:
        yield found
        assert found.knocks == []


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A day that fails, with a hostile symbol in its rows, and a day that passes; two symbols on the index."""
    layout = Layout(tmp_path_factory.mktemp("pages") / "lake")
    own = layout.reports / "gx" / "plugins" / "expectations" / "busy.py"
    own.parent.mkdir(parents=True)
    own.write_text(
        f'"""Busy: {EVIL}\n\n{EVIL}"""\nimport great_expectations.expectations as gxe\n'
        f"EXPECTATIONS = [gxe.ExpectColumnValuesToBeBetween(column='trade_count', max_value=9, description={EVIL!r})]\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(layout.base.parent / "config"))
        allow(layout)
        yield _site(layout)


def _site(layout):
    rows = plant(plant(bars(120), [7], open=None), [9], symbol=EVIL)
    write_hours(layout, plant([row for row in rows if row["window_start"].second != 30], [40], trade_count=1_234_567))
    tomorrow = START + timedelta(days=1)
    write_hours(layout, bars(60, tomorrow, first_id=next_id(bars(120))))
    write_hours(layout, bars(60, tomorrow, symbol="SUIUSDT"), "SUIUSDT")
    failing = check(layout, 120)
    passing = check(layout, 60, tomorrow, symbols=(SOL, "SUIUSDT"))
    assert (failing.verdict, passing.verdict) == ("FAIL", "PASS")
    return {"index": passing.data_docs, "failing": failing.days[0].page, "passing": passing.days[0].page}


def opened(chromium, path, *, width=1200, dark=False, script=True):
    """The page, of which it is already sure that nothing was fetched from elsewhere and nothing complained about."""
    page = chromium.open(path.as_uri(), width, dark=dark, script=script)
    folder = next(parent for parent in path.parents if parent.name == "data_docs").as_uri()
    assert page.requests
    assert [url for url in page.requests if not url.startswith((folder, "data:"))] == []
    assert page.complaints == []
    return page


def pixels(png: bytes) -> set[bytes]:
    """The colours in a PNG's rows, near enough to tell a blank picture: its distinct decompressed triples."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    place, data = 8, b""
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        if png[place + 4 : place + 8] == b"IDAT":
            data += png[place + 8 : place + 8 + length]
        place += length + 12
    raw = zlib.decompress(data)
    return {raw[at : at + 3] for at in range(0, len(raw) - 3, 3)}


def brightness(colour: str) -> float:
    red, green, blue = (int(part) for part in re.findall(r"\d+", colour)[:3])
    return (0.299 * red + 0.587 * green + 0.114 * blue) / 255


@pytest.mark.parametrize(("width", "dark"), LOOKS)
@pytest.mark.parametrize("name", ["index", "failing", "passing"])
def test_a_page_is_styled_readable_and_fits_its_window(chromium, site, tmp_path, name, width, dark):
    page = opened(chromium, site[name], width=width, dark=dark)
    style = page.value(
        "(s => [s.backgroundColor, s.color, parseFloat(s.fontSize), s.fontFamily])(getComputedStyle(document.body))"
    )
    paper, ink = brightness(style[0]), brightness(style[1])
    assert (paper < 0.2) is dark
    assert abs(paper - ink) > 0.6
    assert style[2] >= 14
    assert "serif" in style[3]
    assert page.value("document.documentElement.scrollWidth") <= width
    badge = page.value("(s => s.backgroundColor)(getComputedStyle(document.querySelector('.badge')))")
    assert badge not in (style[0], "rgba(0, 0, 0, 0)")
    assert len(pixels(page.picture(tmp_path / f"{name}.png"))) > 100


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_a_failing_page_shows_verdict_rules_and_offending_rows(chromium, site, width, dark):
    page = opened(chromium, site["failing"], width=width, dark=dark)
    text = page.value("document.body.innerText")
    assert page.value("document.querySelector('h1').innerText") == "FAIL SOLUSDT 2025-10-20"
    for words in ("R4 Every bar has its prices", "R5 Timestamps run on without a hole", "R0 The table is what it says",
                  "2025-10-20T10:00:07Z", "null", "Why it matters", "What to do", "1234567"):  # fmt: skip
        assert words in text
    shown = page.value(
        "[...document.querySelectorAll('h2, .rows')].every(one => one.getBoundingClientRect().height > 10"
        " && getComputedStyle(one).visibility === 'visible')"
    )
    assert shown
    top = page.value("document.querySelector('h1 .badge').getBoundingClientRect().top")
    assert top < 200


def test_a_passing_page_says_so_at_its_top(chromium, site):
    page = opened(chromium, site["passing"])
    assert page.value("document.querySelector('h1').innerText") == "PASS SOLUSDT 2025-10-21"
    text = page.value("document.body.innerText")
    assert "Every rule holds." in text
    assert "violated" not in text
    assert page.value("document.querySelectorAll('.violation').length") == 0


def test_hostile_values_are_text(chromium, site):
    for name in ("failing", "index"):
        page = opened(chromium, site[name])
        assert page.value("document.title") != "owned"
        assert page.value("document.images.length") == 0
        assert page.value("[...document.scripts].every(one => one.src.endsWith('find.js'))")
    text = opened(chromium, site["failing"]).value("document.body.innerText")
    assert text.count(EVIL) >= 3


def test_the_content_security_policy_stops_what_an_escape_would_miss(chromium, site, tmp_path):
    planted = tmp_path / "data_docs" / "planted.html"
    planted.parent.mkdir()
    planted.write_text(site["failing"].read_text().replace("<main>", f"<main>{EVIL}<style></style>"))
    page = chromium.open(planted.as_uri())
    assert page.value("document.title") != "owned"
    assert any("Content Security Policy" in one for one in page.complaints)


def test_the_index_finds_a_symbol_and_a_day(chromium, site):
    page = opened(chromium, site["index"])
    shown = "[...document.querySelectorAll('.grid a')].filter(one => one.checkVisibility()).map(one => one.title)"
    assert len(page.value(shown)) == 3
    for words, found in (
        ("sui", ["SUIUSDT 2025-10-21 PASS "]),
        ("sol 10-20", ["SOLUSDT 2025-10-20 FAIL R0 R4 R5 R8 busy"]),
        ("r4", ["SOLUSDT 2025-10-20 FAIL R0 R4 R5 R8 busy"]),
        ("nothing", []),
    ):
        page.value(f"box.value = {words!r}, box.dispatchEvent(new Event('input')), 1")
        assert page.value(shown) == found
    assert page.value("document.getElementById('found').innerText") == "0 symbol-days"
    page.value("box.value = 'sol 10-20', box.dispatchEvent(new Event('input')), 1")
    page.follow("box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter'}))")
    assert page.value("document.title") == "FAIL: SOLUSDT 2025-10-20 (bars_1s)"


def test_the_index_is_whole_without_script(chromium, site):
    page = opened(chromium, site["index"], script=False)
    assert page.value("document.getElementById('finder').hidden")
    assert page.value("[...document.querySelectorAll('.grid a')].filter(one => one.checkVisibility()).length") == 3
