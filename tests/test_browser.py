"""The trap around the tests' browser springs: what proves that a page fetches nothing could have failed."""

import pytest

from tests import browser
from tests.live import wait

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not browser.executable(), reason=browser.MISSING)]


def test_who_fetches_from_elsewhere_has_knocked_and_is_in_the_pages_requests(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<img src='http://evil.example/x.png'><script src='http://cdn.example/x.js'></script>")
    with browser.chromium() as chromium:
        shown = chromium.open(page.as_uri())
        wait(lambda: len(chromium.knocks) == 2, 20)
        assert sorted(one.split()[1] for one in chromium.knocks) == [
            "http://cdn.example/x.js", "http://evil.example/x.png",
        ]  # fmt: skip
        assert {"http://evil.example/x.png", "http://cdn.example/x.js"} < set(shown.requests)
