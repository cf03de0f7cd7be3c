"""The upload site in a real browser, as people use it."""

import base64
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from corpus import draw_face, encode, plain
from siteparts import write_made_models
from werkzeug.exceptions import NotFound
from werkzeug.serving import make_server

webdriver = pytest.importorskip("selenium.webdriver")
from selenium.common.exceptions import StaleElementReferenceException  # noqa: E402
from selenium.webdriver import ActionChains, Keys  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

from benchmarks.chromium import FLAGS  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = [
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER),
        reason="no Chromium with chromedriver; on Debian: apt-get install chromium chromium-driver",
    ),
    # Selenium leaves its pipe to the driver to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
# Makes the files that a hand would drop or paste.
TRANSFER = """
    const [kind, name, files] = arguments;
    const data = new DataTransfer();
    for (const [i, text] of files.entries()) {
        const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
        data.items.add(new File([bytes], `photo ${i + 1}.png`, { type: "image/png" }));
    }
    const target = kind === "drop" ? document.getElementById("photos") : document.body;
    const options = { bubbles: true, cancelable: true, [name]: data };
    target.dispatchEvent(
        kind === "drop" ? new DragEvent(kind, options) : new ClipboardEvent(kind, options));
"""


@contextmanager
def served(app) -> Iterator[str]:
    """The address of a site that runs as long as the block."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The models in use."""
    root = tmp_path_factory.mktemp("site") / "artifacts"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACECORE_ARTIFACTS", str(root))
        write_made_models()
        yield


@pytest.fixture(scope="module")
def site(models):
    """The address of a running site, with CSRF on as in production."""
    from webapp import create_app

    with served(create_app({"SECRET_KEY": "test", "TESTING": True})) as address:
        yield address


@pytest.fixture(scope="module")
def site_below(models):
    """The address of a site below /faces/ of a proxy, which has nothing else."""
    from webapp import create_app

    app = create_app({"SECRET_KEY": "test", "TESTING": True, "PROXIES": 1})

    def proxy(environ, start_response):
        path = environ["PATH_INFO"]
        if not path.startswith("/faces/"):
            return NotFound()(environ, start_response)
        environ["PATH_INFO"] = path.removeprefix("/faces")
        environ["HTTP_X_FORWARDED_PREFIX"] = "/faces"
        return app(environ, start_response)

    with served(proxy) as address:
        yield f"{address}/faces"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    profile = tmp_path_factory.mktemp("profile")
    for switch in [*FLAGS, f"--user-data-dir={profile}"]:
        options.add_argument(switch)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium, site):
    """A browser on the page of photos; afterwards nothing may have broken the security policy."""
    chromium.get_log("browser")
    chromium.get(f"{site}/app/faces/")
    yield chromium
    messages = [entry["message"] for entry in chromium.get_log("browser")]
    assert not [text for text in messages if "Failed to load resource" not in text]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Photos on the disk of the visitor: one face, two faces, none, and no photo at all."""
    folder = tmp_path_factory.mktemp("photos")
    contents = {
        "one": encode(draw_face()),
        "two": encode(np.hstack([draw_face()] * 2)),
        "none": plain(200, 150),
        "text": b"not a photo",
    }
    paths = {}
    for name, data in contents.items():
        paths[name] = folder / f"{name}.png"
        paths[name].write_bytes(data)
    return paths


def wait_for_answers(browser, count: int) -> list:
    def answered(driver):
        idle = driver.find_element(By.ID, "photos").get_attribute("aria-busy") is None
        found = driver.find_elements(By.CSS_SELECTOR, "#answers > *")
        return found if idle and len(found) == count else False

    # without scripts the page is replaced under our hands
    ignored = [StaleElementReferenceException]
    return WebDriverWait(browser, 30, ignored_exceptions=ignored).until(answered)


def transfer(browser, kind: str, *paths) -> None:
    name = "dataTransfer" if kind == "drop" else "clipboardData"
    texts = [base64.b64encode(path.read_bytes()).decode() for path in paths]
    browser.execute_script(TRANSFER, kind, name, texts)


def pictures_are_drawn(browser, card) -> bool:
    script = "return [...arguments[0].querySelectorAll('img')].every((i) => i.naturalWidth > 0)"
    return browser.execute_script(script, card)


def test_chosen_photo_is_answered_without_pressing_anything(browser, files):
    browser.find_element(By.ID, "photo").send_keys(str(files["one"]))
    (card,) = wait_for_answers(browser, 1)
    assert "One face found" in card.text
    assert len(card.find_elements(By.TAG_NAME, "img")) == 4
    assert pictures_are_drawn(browser, card)
    assert "One face found" in browser.find_element(By.ID, "status").get_attribute("textContent")
    assert not browser.find_element(By.CSS_SELECTOR, "[type=submit]").is_displayed()


def test_the_same_photo_can_be_chosen_again(browser, files):
    for _ in range(2):
        browser.find_element(By.ID, "photo").send_keys(str(files["one"]))
        wait_for_answers(browser, 1)
        browser.execute_script("document.getElementById('answers').replaceChildren()")


def test_two_dropped_photos_are_answered_in_order(browser, files):
    transfer(browser, "drop", files["two"], files["none"])
    first, second = wait_for_answers(browser, 2)
    assert "2 faces found" in first.text
    assert "photo 1.png" in first.text
    assert "No face was found" in second.text


def test_pasted_photo_is_answered(browser, files):
    transfer(browser, "paste", files["one"])
    (card,) = wait_for_answers(browser, 1)
    assert "One face found" in card.text


def test_camera_takes_a_photo(browser):
    browser.find_element(By.ID, "camera").click()
    video = browser.find_element(By.TAG_NAME, "video")
    WebDriverWait(browser, 30).until(lambda _: video.get_property("videoWidth") > 0)
    browser.find_element(By.CSS_SELECTOR, "#shoot button").click()
    (card,) = wait_for_answers(browser, 1)
    assert "camera.jpg" in card.text
    assert not video.is_displayed()
    assert video.get_property("srcObject") is None


def test_file_that_is_no_photo_gets_a_kind_message(browser, files):
    browser.find_element(By.ID, "photo").send_keys(str(files["text"]))
    (card,) = wait_for_answers(browser, 1)
    assert "The file is not a photo; send JPEG" in card.text


def test_file_above_the_limit_is_not_even_sent(browser, files):
    browser.execute_script("document.getElementById('photos').dataset.maxBytes = 10")
    browser.find_element(By.ID, "photo").send_keys(str(files["one"]))
    (card,) = wait_for_answers(browser, 1)
    assert "larger than the limit" in card.text


def test_error_page_becomes_a_message(browser, files):
    browser.delete_all_cookies()
    browser.find_element(By.ID, "photo").send_keys(str(files["one"]))
    (card,) = wait_for_answers(browser, 1)
    assert "load it again" in card.text


def test_works_without_javascript(browser, site, files):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(f"{site}/app/faces/")
        assert not browser.find_element(By.ID, "camera").is_displayed()
        both = f"{files['one']}\n{files['none']}"
        browser.find_element(By.ID, "photo").send_keys(both)
        browser.find_element(By.CSS_SELECTOR, "[type=submit]").click()
        first, second = wait_for_answers(browser, 2)
        assert "One face found" in first.text
        assert "No face was found" in second.text
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/app/", "/app/faces/", "/models/made", "/missing"])
def test_page_fits_a_phone_in_light_and_dark(browser, site, path, theme):
    scheme = [{"name": "prefers-color-scheme", "value": theme}]
    phone = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    try:
        browser.get(site + path)
        assert browser.execute_script("return document.documentElement.dataset.bsTheme") == theme
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 360
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_keyboard_reaches_the_form(browser, site):
    browser.get(f"{site}/app/faces/")
    names = []
    for _ in range(10):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        names.append(browser.switch_to.active_element.get_attribute("id"))
    assert "photo" in names
    assert "camera" in names


def test_below_a_prefix_every_link_is_followed_and_a_photo_is_answered(chromium, site_below, files):
    chromium.delete_all_cookies()
    chromium.get_log("browser")
    todo, seen = [f"{site_below}/"], set()
    while todo:
        chromium.get(page := todo.pop())
        seen.add(page)
        links = [
            a.get_property("href").split("#")[0] for a in chromium.find_elements(By.TAG_NAME, "a")
        ]
        assert all(link.startswith(f"{site_below}/") for link in links)
        todo += sorted({*links} - seen - {*todo})
    assert {f"{site_below}/app/faces/", f"{site_below}/models/other"} <= seen
    chromium.get(f"{site_below}/app/faces/")
    assert [cookie["path"] for cookie in chromium.get_cookies()] == ["/faces"]
    chromium.find_element(By.ID, "photo").send_keys(str(files["one"]))
    (card,) = wait_for_answers(chromium, 1)
    assert "One face found" in card.text
    missing = [entry["message"] for entry in chromium.get_log("browser")]
    assert not [text for text in missing if "favicon.ico" not in text]  # the browser's own wish
