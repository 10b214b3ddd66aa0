"""The small page in Chromium: it is what the browser asks for, styled under its own policy, light and dark, on a phone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

webdriver = pytest.importorskip("selenium.webdriver")

from selenium.webdriver.common.by import By  # noqa: E402

from errorkit import APIError, Catalog, Detail, RateLimitError, ValidationError  # noqa: E402
from errorkit.config import Config  # noqa: E402
from errorkit.flask import ErrorKit  # noqa: E402
from publish.reference.browser import browser, served  # noqa: E402
from requirements import require  # noqa: E402


class Hostile(APIError):
    code, status, title = "hostile", 400, "Not <here>"
    message = (
        "</style><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">" + "long" * 90
    )


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    app = Flask("page")
    ErrorKit(app, config=Config(html="page", service_name="Seats & Sons", catalog=Catalog([Hostile])))

    def raising(error: Any) -> Any:
        def view() -> None:
            raise error

        return view

    app.add_url_rule("/hostile", "hostile", raising(Hostile()))
    app.add_url_rule("/busy", "busy", raising(RateLimitError(retry_after=30)))
    app.add_url_rule("/invalid", "invalid", raising(ValidationError(details=[Detail(("seat",), "is taken")])))
    with served(app) as base:
        yield base


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    require("chromium", "chromedriver")
    with browser(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


def look(driver: Any, url: str, *, width: int = 1280, scheme: str = "light") -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    driver.get(url)
    folder = os.environ.get("TEST_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        driver.save_screenshot(str(Path(folder) / f"page-{url.rpartition('/')[2]}-{width}-{scheme}.png"))


def told(driver: Any) -> list[str]:
    """What the browser complains about, but for the status itself and the icon that it asks for by itself."""
    return [
        entry["message"]
        for entry in driver.get_log("browser")
        if "the server responded with a status of" not in entry["message"] and "favicon" not in entry["message"]
    ]


def luminance(colour: str) -> float:
    """Of `rgb(r, g, b)` (WCAG 2.2, relative luminance)."""
    parts = [int(part) / 255 for part in colour.partition("(")[2].rstrip(")").split(",")[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_browser_shows_title_words_id_and_service(chrome: Any, url: str) -> None:
    """And its log has no word of a policy that was broken."""
    look(chrome, f"{url}/nowhere")
    assert chrome.title == "Not Found - Seats & Sons"
    assert chrome.find_element(By.TAG_NAME, "h1").text == "Not Found"
    assert chrome.find_element(By.TAG_NAME, "header").text == "Seats & Sons"
    assert len(chrome.find_element(By.TAG_NAME, "code").text) >= 16
    assert told(chrome) == []
    look(chrome, f"{url}/busy")
    assert "You can try again in 30 seconds." in chrome.find_element(By.TAG_NAME, "main").text
    look(chrome, f"{url}/invalid")
    assert chrome.find_element(By.TAG_NAME, "li").text == "seat: is taken"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_have_contrast(chrome: Any, url: str, scheme: str) -> None:
    """As the system has it; 7:1 at least, WCAG's enhanced contrast."""
    look(chrome, f"{url}/nowhere", scheme=scheme)
    body = chrome.find_element(By.TAG_NAME, "body")
    text = luminance(body.value_of_css_property("color"))
    ground = luminance(chrome.execute_script("return getComputedStyle(document.body).backgroundColor"))
    assert (ground < text) == (scheme == "dark")
    assert (max(text, ground) + 0.05) / (min(text, ground) + 0.05) >= 7


def test_the_style_of_the_page_is_allowed(chrome: Any, url: str) -> None:
    """The policy names it by its hash."""
    look(chrome, f"{url}/nowhere")
    assert chrome.find_element(By.TAG_NAME, "body").value_of_css_property("max-width") == "640px"


def test_a_phone_needs_no_scrolling_to_the_side(chrome: Any, url: str) -> None:
    """A long word is broken."""
    look(chrome, f"{url}/hostile", width=320)
    assert chrome.execute_script("return document.documentElement.scrollWidth") <= 320


def test_words_are_words(chrome: Any, url: str) -> None:
    """No markup of an error's runs or loads anything."""
    look(chrome, f"{url}/hostile")
    assert chrome.title == "Not <here> - Seats & Sons"
    assert chrome.find_elements(By.CSS_SELECTOR, "script, img, link, iframe") == []
    assert "<script>" in chrome.find_element(By.TAG_NAME, "main").text
    loaded = chrome.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert [name for name in loaded if "favicon" not in name] == []


def test_a_page_has_what_assistive_technology_needs(chrome: Any, url: str) -> None:
    """A language, one heading, landmarks, a title, a viewport that may be enlarged."""
    look(chrome, f"{url}/nowhere")
    tree = chrome.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = [node["role"]["value"] for node in tree if not node.get("ignored")]
    assert [roles.count(role) for role in ("main", "banner", "heading")] == [1, 1, 1]
    assert chrome.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"
    viewport = chrome.find_element(By.CSS_SELECTOR, "meta[name=viewport]").get_attribute("content")
    assert "maximum-scale" not in str(viewport)
    assert "user-scalable" not in str(viewport)
