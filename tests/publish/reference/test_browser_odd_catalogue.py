"""The reference of an odd catalogue in a real browser: long words, markup, right-to-left text."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("selenium.webdriver")

from errorkit import APIError, Catalog
from errorkit.errors import Example
from errorkit.publish.reference.mount import ReferenceWSGI
from publish.reference.browser import browser, served
from requirements import require

TITLE = "<script>document.title = 'taken'</script>"


class Odd(APIError):
    """Declared by somebody without mercy."""

    code, status, title = "o" * 60, 503, TITLE
    message = "m" * 400
    description = "d" * 400 + " <img src=x onerror=\"document.title = 'taken'\"> \u202e rtl 漢字 🎉"
    causes = ("c" * 400, "</li></ul><h1>free</h1>")
    resolution = "r" * 400
    examples = (Example("t" * 400, '{"a": "</code></pre><h1>free</h1>"}', "f" * 400),)
    default_headers = {"X-Long": "v" * 400}


def test_no_catalogue_can_make_a_page_wider_than_the_screen_or_add_elements_to_it(tmp_path: Any) -> None:
    """On a phone and on a desktop, index and page; texts are shown as the texts that they are."""
    require("chromium", "chromedriver")
    with served(ReferenceWSGI(title="T" * 100, catalog=Catalog([Odd]))) as base, browser(tmp_path) as driver:
        for width in (360, 1280):
            size = {"width": width, "height": 740, "deviceScaleFactor": 1, "mobile": width < 600}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            for page in ("", f"{Odd.code}/"):
                driver.get(f"{base}/{page}")
                assert driver.execute_script("return document.documentElement.scrollWidth") <= width, page
                assert driver.title != "taken"
                assert driver.execute_script("return document.querySelectorAll('h1').length") == 1
                assert driver.execute_script("return document.querySelectorAll('main img, main script').length") == 0
                text = driver.execute_script("return document.querySelector('main').textContent")
                assert "<img src=x onerror=" in text
        assert TITLE in text
        assert driver.get_log("browser") == []
