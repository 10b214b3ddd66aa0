"""The reference in a real browser: search, dialects, dark, phone, keyboard, without scripts."""

from __future__ import annotations

import base64
import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

webdriver = pytest.importorskip("selenium.webdriver")

from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402
from werkzeug.middleware.dispatcher import DispatcherMiddleware  # noqa: E402

from contracts import kaizen  # noqa: E402
from errorkit import Catalog, ServiceUnavailableError  # noqa: E402
from errorkit.errors import Change  # noqa: E402
from errorkit.publish.reference.mount import ReferenceWSGI  # noqa: E402
from publish.reference.browser import browser, served  # noqa: E402
from requirements import NODE_SDKS, absent, require  # noqa: E402

LOOK = {"brand": "Kaizen & Söhne", "colour": "#00c2ff", "home": "https://kaizen.example/"}
ACCENT = {"light": "rgb(154, 52, 18)", "dark": "rgb(244, 165, 116)"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    def nothing(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("404 Not Found", [("Content-Length", "0")])
        return []

    class Paused(ServiceUnavailableError):
        """Somebody has paused the service."""

        code, area, since = "paused", "Work", "1.2"
        changed = (Change("1.10", "Says when to come back."),)
        deprecated = Change("2.0", "Use `stopped`.")

    two = {
        **kaizen.settings,
        "dialect": {"/": "kaizen", "/v1": "openai"},
        "catalog": Catalog([*(spec.cls for spec in kaizen.catalog), Paused]),
    }
    pages = {
        "/errors": ReferenceWSGI(title="Kaizen", options={"presets": "all"}, **kaizen.settings),
        "/two": ReferenceWSGI(title="Kaizen", options=LOOK, **two),
    }
    app = DispatcherMiddleware(nothing, pages)
    with served(app) as base:
        yield f"{base}/errors"


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    require("chromium", "chromedriver")
    with browser(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(autouse=True)
def _as_new(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test starts with a desktop's window, in light, nothing remembered; none may leave a word on the console."""
    if "chrome" not in request.fixturenames:
        yield
        return
    driver, base = request.getfixturevalue("chrome"), request.getfixturevalue("url")
    emulate(driver, width=1280, height=900, scheme="light")
    driver.get(f"{base}/")
    driver.execute_script("localStorage.clear()")
    yield
    assert driver.get_log("browser") == []


def emulate(driver: Any, *, width: int, height: int, scheme: str) -> None:
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def whole(driver: Any, name: str) -> None:
    """A screenshot of the whole page, likewise."""
    folder = os.environ.get("TEST_SCREENSHOTS")
    if folder:
        picture = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.png").write_bytes(base64.b64decode(picture["data"]))


def keep(driver: Any, name: str) -> None:
    """A screenshot for people, where TEST_SCREENSHOTS names a directory."""
    folder = os.environ.get("TEST_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        driver.save_screenshot(str(Path(folder) / f"{name}.png"))


def visible_codes(driver: Any) -> list[str]:
    return [link.text for link in driver.find_elements(By.CSS_SELECTOR, "tr[data-code] a") if link.is_displayed()]


def shown_response(driver: Any) -> list[str]:
    return [
        block.text
        for block in driver.find_elements(By.CSS_SELECTOR, "pre[aria-label^='Response']")
        if block.is_displayed()
    ]


def test_the_index_lists_every_code_and_leads_to_its_page(chrome: Any, url: str) -> None:
    """A click on a code opens its page, whose heading is the code."""
    keep(chrome, "index")
    assert len(visible_codes(chrome)) == len(kaizen.catalog)
    chrome.find_element(By.LINK_TEXT, "rate_limited").click()
    assert chrome.current_url == f"{url}/rate_limited/index.html"
    assert chrome.find_element(By.TAG_NAME, "h1").text == "rate_limited"


def test_search_narrows_the_list_by_code_status_and_word(chrome: Any, url: str) -> None:
    """`/` focuses it; every word must match; Escape clears; Enter opens the first."""
    body = chrome.find_element(By.TAG_NAME, "body")
    body.send_keys("/")
    field = chrome.switch_to.active_element
    assert field.get_attribute("id") == "query"
    field.send_keys("429")
    assert visible_codes(chrome) == ["rate_limited"]
    assert chrome.find_element(By.ID, "found").text == f"1 of {len(kaizen.catalog)} codes"
    keep(chrome, "search")
    field.send_keys(Keys.ESCAPE)
    assert len(visible_codes(chrome)) == len(kaizen.catalog)
    field.send_keys("upstream provider jitter")
    assert visible_codes(chrome) == ["bad_gateway"]
    field.send_keys(" zebra")
    assert visible_codes(chrome) == []
    assert chrome.find_element(By.ID, "nothing").is_displayed()
    field.send_keys(Keys.ESCAPE, "malformed_json", Keys.ENTER)
    WebDriverWait(chrome, 5).until(lambda driver: driver.current_url == f"{url}/malformed_json/index.html")


def test_a_codes_page_is_reached_from_its_type_uri(chrome: Any, url: str) -> None:
    """The address that an RFC 9457 `type` holds is the page."""
    chrome.get(f"{url}/validation_failed")
    assert chrome.find_element(By.TAG_NAME, "h1").text == "validation_failed"
    assert "Invalid payload" in chrome.find_element(By.CSS_SELECTOR, ".facts").text
    keep(chrome, "code")


def test_the_dialect_is_switched_and_remembered(chrome: Any, url: str) -> None:
    """One response is visible at a time; the choice holds on the next page."""
    chrome.get(f"{url}/rate_limited/")
    (first,) = shown_response(chrome)
    assert '"detail": "The rate limit is exceeded."' in first
    chrome.find_element(By.XPATH, "//label[starts-with(., 'openai')]").click()
    (second,) = shown_response(chrome)
    assert '"type": "rate_limit_error"' in second
    chrome.get(f"{url}/internal/")
    (third,) = shown_response(chrome)
    assert '"type": "server_error"' in third


def test_all_works_with_the_keyboard_alone(chrome: Any, url: str) -> None:
    """Tab reaches the skip link first, arrows switch dialects, and the focus is always to be seen."""
    chrome.get(f"{url}/rate_limited/")
    chrome.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    skip = chrome.switch_to.active_element
    assert skip.text == "Skip to content"
    assert skip.rect["x"] >= 0
    seen = []
    for _ in range(40):
        active = chrome.switch_to.active_element
        outline = active.value_of_css_property("outline-style")
        if active.get_attribute("type") == "radio":
            outline = chrome.execute_script(
                "return getComputedStyle(arguments[0].nextElementSibling).outlineStyle", active
            )
        assert outline != "none", active.get_attribute("outerHTML")
        seen.append(active.get_attribute("name") or active.tag_name)
        if active.get_attribute("name") == "dialect":
            break
        active.send_keys(Keys.TAB)
    assert "dialect" in seen
    (before,) = shown_response(chrome)
    chrome.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    (after,) = shown_response(chrome)
    assert before != after
    keep(chrome, "keyboard")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_are_readable(chrome: Any, url: str, scheme: str) -> None:
    """Every text has a contrast of at least 4.5 to 1 to its background (WCAG 2.2, 1.4.3)."""
    emulate(chrome, width=1280, height=900, scheme=scheme)
    for page in ("", "validation_failed/"):
        chrome.get(f"{url}/{page}")
        assert chrome.find_element(By.CSS_SELECTOR, "main p a, main th a").value_of_css_property("color") in (
            ACCENT[scheme],
            ACCENT[scheme].replace("rgb(", "rgba(").replace(")", ", 1)"),
        )
        assert chrome.execute_script(CONTRAST) == []
        keep(chrome, f"{scheme}-{page.strip('/') or 'index'}")


@pytest.mark.parametrize("page", ["", "validation_failed/", "rate_limited/"])
def test_a_phone_shows_everything_without_scrolling_sideways(chrome: Any, url: str, page: str) -> None:
    """At 360 pixels the page is no wider than the screen, and codes can be tapped."""
    emulate(chrome, width=360, height=740, scheme="light")
    chrome.get(f"{url}/{page}")
    assert chrome.execute_script("return document.documentElement.scrollWidth") <= 360
    keep(chrome, f"phone-{page.strip('/') or 'index'}")


def test_every_control_has_a_name_and_every_page_its_landmarks(chrome: Any, url: str) -> None:
    """The accessibility tree has one main, a named search and groups, and no control without a name."""
    for page in ("", "validation_failed/"):
        chrome.get(f"{url}/{page}")
        chrome.execute_cdp_cmd("Accessibility.enable", {})
        nodes = chrome.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        found = [
            (node.get("role", {}).get("value"), node.get("name", {}).get("value", ""))
            for node in nodes
            if not node.get("ignored")
        ]
        roles = [role for role, _ in found]
        assert roles.count("main") == 1
        assert roles.count("banner") == 1
        nameless = [
            role for role, name in found if role in ("link", "radio", "searchbox", "button", "group") and not name
        ]
        assert nameless == []
        levels = chrome.execute_script("return [...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])")
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_without_scripts_all_but_the_search_is_there(url: str, tmp_path: Path) -> None:
    """Every code is listed and its page switches dialects; the search does not pretend to work."""
    require("chromium", "chromedriver")
    with browser(tmp_path, script=False) as driver:
        driver.get(f"{url}/")
        assert len(visible_codes(driver)) == len(kaizen.catalog)
        assert not driver.find_element(By.ID, "query").is_displayed()
        driver.find_element(By.LINK_TEXT, "rate_limited").click()
        (before,) = shown_response(driver)
        driver.find_element(By.XPATH, "//label[starts-with(., 'kaplaix')]").click()
        (after,) = shown_response(driver)
        assert '"code": "RATE_LIMITED"' in after
        assert before != after


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core, from the packages of tests/clients/node."""
    path = NODE_SDKS / "node_modules" / "axe-core" / "axe.min.js"
    if not path.exists():
        absent("needs the npm packages of tests/clients/node (NODE_SDKS)")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize(
    "page", ["errors/", "errors/validation_failed/", "two/", "two/rate_limited/", "two/changelog.html"]
)
def test_axe_finds_nothing(chrome: Any, url: str, axe: str, page: str, width: int, scheme: str) -> None:
    """WCAG 2.0 to 2.2, A and AA, and best practice, by axe-core."""
    emulate(chrome, width=width, height=900, scheme=scheme)
    chrome.get(f"{url.removesuffix('errors')}{page}")
    chrome.execute_script(axe)
    found = chrome.execute_async_script("axe.run().then(arguments[0])")
    told = [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found["violations"]]
    assert told == []
    assert len(found["passes"]) > 20
    whole(chrome, f"axe-{page.strip('/').replace('/', '-')}-{width}-{scheme}")


def test_a_link_chooses_dialect_and_language(chrome: Any, url: str) -> None:
    """`?dialect=` and `?language=` or `#python`; and a choice is put into the address, to be sent on."""
    base = url.removesuffix("errors")
    chrome.get(f"{base}two/rate_limited/?dialect=openai#python")
    (response,) = shown_response(chrome)
    assert '"type": "rate_limit_error"' in response
    (snippet,) = [
        block.text for block in chrome.find_elements(By.CSS_SELECTOR, ".wire section pre") if block.is_displayed()
    ]
    assert 'response.json()["error"]["code"] == "rate_limited"' in snippet
    chrome.find_element(By.XPATH, "//label[starts-with(., 'TypeScript')]").click()
    assert chrome.current_url == f"{base}two/rate_limited/?dialect=openai&language=TypeScript#python"
    chrome.get(f"{base}two/internal/?dialect=kaizen&language=curl")
    assert '"type": "server_error"' not in shown_response(chrome)[0]
    assert chrome.find_element(By.ID, "language-0").is_selected()


def test_every_heading_has_an_address(chrome: Any, url: str) -> None:
    """Its own link leads to it."""
    for page in ("", "validation_failed/"):
        chrome.get(f"{url}/{page}")
        headings = chrome.find_elements(By.CSS_SELECTOR, "h2, h3")
        assert len(headings) > 4
        for heading in headings:
            link = heading.find_element(By.TAG_NAME, "a")
            assert link.get_attribute("href").endswith(f"#{heading.get_attribute('id')}")


def test_a_code_is_found_from_the_page_of_another(chrome: Any, url: str) -> None:
    """By any words of it; Enter opens the first; Escape puts the list away."""
    chrome.get(f"{url}/rate_limited/")
    query = chrome.find_element(By.ID, "query")
    query.send_keys("missing field")
    results = chrome.find_elements(By.CSS_SELECTOR, "#results a")
    assert "validation_failed" in [result.text.split("\n")[0] for result in results]
    keep(chrome, "search-on-a-code")
    query.send_keys(Keys.ESCAPE)
    assert not chrome.find_element(By.ID, "results").is_displayed()
    query.send_keys("malformed_json", Keys.ENTER)
    WebDriverWait(chrome, 5).until(lambda driver: driver.current_url == f"{url}/malformed_json/index.html")


def test_the_pages_before_and_behind_are_in_the_catalogues_order(chrome: Any, url: str) -> None:
    """From the first code to the last by `next` alone."""
    codes = [spec.code for spec in kaizen.catalog]
    chrome.get(f"{url}/{codes[0]}/")
    assert chrome.find_elements(By.CSS_SELECTOR, "[rel=prev]") == []
    for code in codes[1:]:
        chrome.find_element(By.CSS_SELECTOR, "[rel=next]").click()
        assert chrome.find_element(By.TAG_NAME, "h1").text == code
    assert chrome.find_elements(By.CSS_SELECTOR, "[rel=next]") == []


def test_a_block_is_copied_as_it_is(chrome: Any, url: str) -> None:
    """Its button has a name of its own and gives the text to the clipboard."""
    permission = {
        "origin": url.removesuffix("/errors"),
        "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"],
    }
    chrome.execute_cdp_cmd("Browser.grantPermissions", permission)
    chrome.get(f"{url}/rate_limited/")
    button = chrome.find_element(By.CSS_SELECTOR, "button[aria-label='Copy: curl, kaizen']")
    button.click()
    WebDriverWait(chrome, 5).until(lambda _: button.text == "Copied")
    copied = chrome.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    assert copied.startswith("curl -i -X ")


def test_only_what_is_chosen_is_printed(chrome: Any, url: str) -> None:
    """One dialect and one language, with their names, without what paper cannot do."""
    chrome.get(f"{url}/rate_limited/?dialect=openai&language=Python")
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        whole(chrome, "print")
        (response,) = shown_response(chrome)
        assert '"type": "rate_limit_error"' in response
        visible = chrome.find_element(By.TAG_NAME, "body").text
        assert "In the dialect openai" in visible
        assert "import httpx" in visible
        assert "curl -i" not in visible
        for selector in (".top", ".switch", ".copy", ".pager"):
            assert not any(part.is_displayed() for part in chrome.find_elements(By.CSS_SELECTOR, selector)), selector
    finally:
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    paper = chrome.execute_cdp_cmd("Page.printToPDF", {"paperWidth": 8.27, "paperHeight": 11.69})
    data = base64.b64decode(paper["data"])
    if folder := os.environ.get("TEST_SCREENSHOTS"):
        (Path(folder) / "print.pdf").write_bytes(data)
    assert len(re.findall(rb"/Type\s*/Page\b", data)) <= 3


def test_a_brand_has_its_name_its_colour_and_its_way_home(chrome: Any, url: str) -> None:
    """A colour that is too light for paper is darkened until it can be read."""
    chrome.get(f"{url.removesuffix('errors')}two/")
    assert chrome.find_element(By.CSS_SELECTOR, ".brand").text == "Kaizen & Söhne errors"
    assert chrome.find_element(By.LINK_TEXT, "Home").get_attribute("href") == "https://kaizen.example/"
    assert chrome.execute_script(CONTRAST) == []
    accent = chrome.execute_script("return getComputedStyle(document.documentElement).getPropertyValue('--accent')")
    assert accent == "#006b8c"


CONTRAST = """
const parse = (text) => {
  const [r, g, b, a] = text.match(/[\\d.]+/g).map(Number);
  return {r, g, b, a: a === undefined ? 1 : a};
};
const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const luminance = ({r, g, b}) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const background = (element) => {
  for (let e = element; e; e = e.parentElement) {
    const colour = parse(getComputedStyle(e).backgroundColor);
    if (colour.a > 0) return colour;
  }
  return {r: 255, g: 255, b: 255, a: 1};
};
const poor = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  const element = node.parentElement;
  if (!node.data.trim() || !element.checkVisibility() || element.closest("script")) continue;
  const [a, b] = [luminance(parse(getComputedStyle(element).color)), luminance(background(element))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${node.data.trim().slice(0, 30)}`);
}
return poor;
"""
