"""The dashboard as a visitor meets it: the real server in headless Chromium."""

import re
import time
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from cartoons import LABELS, draw_photo
from screens import PAGES

from facecore.evaluation.curves import brier_score
from facecore.evaluation.quiz import draw_quiz, tabulate_answers, tabulate_guesses
from facecore.face.images import to_png

pytest.importorskip("selenium")
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from benchmarks.chromium import CHROMIUM, DRIVER, open_browser, serve_dashboard, wait_until_done

TRAINING = 240  # seconds
# In one go, so that no rerun can replace the button between finding and pressing it.
CLICK = """
    const [text] = arguments;
    const button = [...document.querySelectorAll("button")].find(
        (x) => x.innerText.trim().endsWith(text) && !x.disabled);
    button?.click();
    return button !== undefined;
"""

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver on the PATH"
)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    """A browser; afterwards nothing may have complained on its console."""
    with open_browser(tmp_path) as driver:
        yield driver
        assert complaints(driver) == []


def complaints(browser: webdriver.Chrome) -> list[str]:
    # On a first visit to a sub-page Streamlit's client looks for its server there before "/".
    probing = [f"/{page_title(page)}/_stcore/" for page in PAGES]
    entries = [e["message"] for e in browser.get_log("browser") if e["level"] == "SEVERE"]
    return [text for text in entries if not any(path in text for path in probing)]


def page_title(page: str) -> str:
    return Path(page).stem.split("_", 1)[1]


def waiting(browser: webdriver.Chrome, seconds: float = 60) -> WebDriverWait:
    """Waits that bear with elements which a rerun of the script replaces under our hands."""
    return WebDriverWait(browser, seconds, ignored_exceptions=[StaleElementReferenceException])


def find(browser: webdriver.Chrome, selector: str) -> WebElement:
    return waiting(browser).until(
        lambda b: b.find_element(By.CSS_SELECTOR, selector), f"no {selector!r} on the page"
    )


def wait_for_text(browser: webdriver.Chrome, text: str, seconds: float = 90) -> None:
    waiting(browser, seconds).until(
        lambda b: text in b.find_element(By.TAG_NAME, "body").text, f"no {text!r} on the page"
    )


def choose_files(browser: webdriver.Chrome, *files: Path) -> None:
    find(browser, "input[type=file]").send_keys("\n".join(map(str, files)))


def click(browser: webdriver.Chrome, text: str) -> None:
    waiting(browser).until(lambda b: b.execute_script(CLICK, text), f"no button {text!r}")


def heading(browser: webdriver.Chrome) -> str:
    return browser.find_element(By.TAG_NAME, "h1").text


def menu(browser: webdriver.Chrome) -> list[str]:
    """Return the titles in the menu."""
    links = browser.find_elements(By.CSS_SELECTOR, "[data-testid=stSidebarNavLink]")
    return [link.text.splitlines()[-1] for link in links]


def picked(browser: webdriver.Chrome) -> str:
    """Return the model in the picker."""
    picker = find(browser, "[data-testid=stSidebar] [data-testid=stSelectbox]")
    (field,) = picker.find_elements(By.TAG_NAME, "input")
    return field.get_attribute("value") or picker.text.splitlines()[-1]


def open_from_menu(browser: webdriver.Chrome, title: str) -> None:
    links = browser.find_elements(By.CSS_SELECTOR, "[data-testid=stSidebarNavLink]")
    next(link for link in links if link.text.splitlines()[-1] == title).click()
    waiting(browser).until(lambda b: b.title.startswith(f"{title} · "), f"no page {title}")
    wait_until_done(browser)


def wait_for_download(folder: Path, pattern: str) -> Path:
    for _ in range(300):
        for path in folder.glob(pattern):
            return path
        time.sleep(0.1)
    raise AssertionError(f"nothing like {pattern} was downloaded")


def test_a_first_visit_to_a_sub_page_opens_that_page(server, browser):
    title = page_title(PAGES[0])
    browser.get(f"{server}/{title}")
    wait_until_done(browser)
    assert browser.find_element(By.TAG_NAME, "h1").text.rstrip("?") == title.replace("_", " ")
    assert not browser.find_elements(By.CSS_SELECTOR, "[data-testid=stException]")


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_a_cold_start_on_a_sub_page_has_menu_model_and_page(shipped, tmp_path, browser, page):
    models = tmp_path / "models"
    models.mkdir()
    for name in ("classic", "second"):
        (models / name).symlink_to(shipped, target_is_directory=True)
    environment = {"FACECORE_ARTIFACTS": str(models), "FACECORE_WORK": str(tmp_path / "work")}
    with serve_dashboard(environment) as (address, _):
        browser.get(f"{address}/{page_title(page)}?model=second")
        wait_until_done(browser)
        assert heading(browser).rstrip("?") == page_title(page).replace("_", " ")
        assert menu(browser)[0] == "Home"
        assert len(menu(browser)) == len(set(menu(browser))) == len(PAGES) + 1
        assert picked(browser) == "second"
        browser.get("about:blank")  # else the page would complain when its server ends


@pytest.mark.slow
def test_the_model_stays_chosen_on_every_click_and_after_a_reload(server, browser):
    browser.get(f"{server}/Eigenfaces?model=second&space=Explorer&e1=1.5")
    wait_until_done(browser)
    assert picked(browser) == "second"
    value = f"{LIVE} return root?.querySelector('input')?.value"
    waiting(browser).until(lambda b: b.execute_script(value) == "1.5")
    assert "e1=1.5" in browser.current_url
    for title in [*menu(browser), "Home", "Eigenfaces"]:
        open_from_menu(browser, title)
        assert picked(browser) == "second", title
        assert "model=second" in browser.current_url, title
    browser.refresh()
    wait_until_done(browser)
    assert picked(browser) == "second"
    assert heading(browser) == "Eigenfaces"


# The menu of a presentation, its type, and whether a sidebar is seen.
PRESENTED = """
    const seen = (node) => node !== null && node.getClientRects().length > 0;
    const sidebar = document.querySelector("[data-testid=stSidebar]");
    const menu = document.querySelectorAll("[data-testid=stHeader] [data-testid^=stTopNav]");
    return [seen(sidebar), menu.length > 0,
        parseFloat(getComputedStyle(document.documentElement).fontSize)];
"""
# How many lines the buttons of the bar take.
BAR = """
    const buttons = [...document.querySelectorAll(".st-key-presentation_end, .st-key-link")];
    const middle = ({ top, bottom }) => Math.round((top + bottom) / 2);
    return new Set(buttons.map((x) => middle(x.getBoundingClientRect()))).size;
"""


@pytest.mark.slow
def test_a_presentation_has_large_type_and_no_sidebar_and_goes_along_until_it_ends(server, browser):
    browser.set_window_size(1024, 768)
    browser.get(f"{server}/Eigenfaces?model=second&presentation=true")
    wait_until_done(browser)
    sidebar, above, size = browser.execute_script(PRESENTED)
    assert not sidebar
    assert above
    assert size >= 18
    assert browser.execute_script(BAR) == 1
    find(browser, "[data-testid=stMain] a[href*=Your_class]").click()
    waiting(browser).until(lambda b: b.title.startswith("Your class · "))
    browser.refresh()
    wait_until_done(browser)
    assert "presentation=true" in browser.current_url
    assert "model=second" in browser.current_url
    assert not browser.execute_script(PRESENTED)[0]

    click(browser, "Copy link")
    assert find(browser, "[role=dialog] pre").text == browser.current_url
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.ESCAPE)

    click(browser, "End presentation")
    waiting(browser).until(lambda b: b.execute_script(PRESENTED)[::2] == [True, 16])
    waiting(browser).until(lambda b: "presentation" not in b.current_url)
    assert picked(browser) == "second"


@pytest.mark.slow
def test_two_tabs_have_each_their_own_model(server, browser):
    browser.get(f"{server}/Evaluation?model=second")
    wait_until_done(browser)
    first = browser.current_window_handle
    browser.switch_to.new_window("tab")
    browser.get(f"{server}/Evaluation?model=classic")
    wait_until_done(browser)
    open_from_menu(browser, "Ladder")
    assert picked(browser) == "classic"
    browser.close()
    browser.switch_to.window(first)
    open_from_menu(browser, "Ladder")
    assert picked(browser) == "second"


@pytest.mark.slow
def test_a_link_to_a_model_that_is_gone_says_so(server, browser):
    browser.get(f"{server}/Evaluation?model=lost")
    wait_for_text(browser, "There is no model lost here")
    wait_until_done(browser)
    assert picked(browser) == "classic"


# Where the face on Home and what the model says of it end, and the screen.
FIRST_SCREEN = """
    const main = document.querySelector("[data-testid=stMain]");
    const said = [...main.querySelectorAll("p")].find((x) => x.innerText.startsWith("The model "));
    const parts = [main.querySelector("[data-testid=stImage] img"), said];
    return [...parts.map((part) => part.getBoundingClientRect().bottom), innerHeight];
"""
# How many lines the links beside the words take, and how wide prose is at most, in its own type.
TEXTS = """
    const links = [...document.querySelectorAll(".st-key-words a")];
    const seen = links.filter((link) => link.getClientRects().length > 0);
    const tops = seen.map((link) => Math.round(link.getBoundingClientRect().top));
    const prose = [...document.querySelectorAll("[data-testid=stMain] [data-testid=stMarkdown] p")];
    const widths = prose.map((x) => x.offsetWidth / parseFloat(getComputedStyle(x).fontSize));
    return [new Set(tops).size, Math.max(...widths)];
"""
SIZES = [(1366, 768), (1024, 768), (390, 844)]


@pytest.mark.slow
def test_home_follows_one_face_and_leads_to_every_page(server, browser):
    browser.get(server)
    wait_for_text(browser, "7. The decision")
    for width, height in SIZES:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.refresh()
        wait_until_done(browser)
        face, said, screen = browser.execute_script(FIRST_SCREEN)
        assert 200 < face < screen and 200 < said < screen, (width, face, said)
        lines, prose = browser.execute_script(TEXTS)
        assert lines == 1, width
        assert 15 < prose < 42
    size = {"width": 1300, "height": 1500, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.refresh()
    wait_for_text(browser, "7. The decision")
    wait_until_done(browser)
    links = {
        link.get_attribute("href").split("?")[0].rsplit("/", 1)[1]: link
        for link in browser.find_elements(By.CSS_SELECTOR, "[data-testid=stMain] a[href*='_']")
        if link.is_displayed()  # not in the list that is folded away
    }
    assert {page_title(page) for page in PAGES if "_" in page_title(page)} <= set(links)
    links["Live_prediction"].click()
    wait_for_text(browser, "as soon as there is a photo")


@pytest.mark.slow
def test_a_photo_goes_along_until_a_click_removes_it(server, browser, tmp_path):
    photo = tmp_path / "me.png"
    photo.write_bytes(to_png(draw_photo("round", 3)))
    browser.get(server)
    wait_until_done(browser)
    find(browser, "[data-testid=stMain] [data-testid=stPopover] button").click()
    choose_files(browser, photo)
    wait_for_text(browser, "Your photo")
    open_from_menu(browser, "What is an eigenface?")
    wait_for_text(browser, "This is your face")
    click(browser, "Remove my face")
    wait_for_text(browser, "This is a face that the computer has made up")
    wait_until_done(browser)
    assert "Your photo" not in browser.find_element(By.TAG_NAME, "body").text


# The live face lies in a shadow root, as every component does.
LIVE = """
    const all = [...document.querySelectorAll("*")];
    const host = all.find((x) => x.shadowRoot?.querySelector(".live"));
    const root = host?.shadowRoot, canvas = root?.querySelector(".face canvas");
"""
PIXELS = f"""{LIVE}
    const pixels = canvas?.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return pixels && [...pixels].reduce((sum, level, i) => (31 * sum + level) % 1000003, 7);
"""
DRAG = f"""{LIVE}
    const slider = root.querySelectorAll("input")[0], before = Number(canvas.dataset.frames);
    const done = arguments[arguments.length - 1];
    let step = 0;
    const next = () => {{
        if (step++ === 8) return done(Number(canvas.dataset.frames) - before);
        slider.value = step / 4;
        slider.dispatchEvent(new Event("input"));
        requestAnimationFrame(() => requestAnimationFrame(next));
    }};
    next();
"""
RELEASE = f"""{LIVE}
    root.querySelectorAll("input")[0].dispatchEvent(new Event("change"));
"""
PRESS = f"""{LIVE}
    root.querySelector(`button[name=${{arguments[0]}}]`).click();
"""


@pytest.mark.slow
def test_the_live_face_is_redrawn_at_every_step_of_a_drag_without_the_server(server, browser):
    browser.get(f"{server}/Eigenfaces?space=Explorer&face_label=male")
    wait_until_done(browser)
    waiting(browser).until(lambda b: b.execute_script(PIXELS))
    before = browser.execute_script(PIXELS)
    assert browser.execute_async_script(DRAG) == 8
    assert browser.execute_script(PIXELS) != before
    assert "e1=" not in browser.current_url
    browser.execute_script(RELEASE)
    waiting(browser).until(lambda b: "e1=2" in b.current_url)
    browser.execute_script(PRESS, "compare")
    waiting(browser).until(lambda b: b.execute_script(PIXELS) == before)
    browser.execute_script(PRESS, "compare")
    waiting(browser).until(lambda b: b.execute_script(PIXELS) != before)
    browser.execute_script(PRESS, "reset")
    waiting(browser).until(lambda b: b.execute_script(PIXELS) == before)
    waiting(browser).until(lambda b: "e1=" not in b.current_url)

    browser.execute_script(PRESS, "play")
    waiting(browser).until(lambda b: b.execute_script(PIXELS) != before)
    browser.execute_script(PRESS, "play")
    waiting(browser).until(lambda b: b.execute_script(PIXELS) == before)
    browser.execute_script(PRESS, "random")
    waiting(browser).until(lambda b: b.execute_script(PIXELS) != before)
    waiting(browser).until(lambda b: re.search(r"e\d+=", b.current_url))


# Whether the face, its answer and the last slider are in sight when one has gone down to it.
TOGETHER = f"""{LIVE}
    const last = [...root.querySelectorAll("input")].at(-1);
    last.scrollIntoView({{block: "end"}});
    return [canvas, root.querySelector(".answer"), last].every((part) => {{
        const {{left, top, bottom, height}} = part.getBoundingClientRect();
        const above = document.elementFromPoint(left + 9, top + 9);
        return height > 0 && bottom <= innerHeight && above === host;
    }});
"""
ANSWER = f"{LIVE} return root?.querySelector('.answer').textContent"


@pytest.mark.slow
def test_the_live_face_and_its_answer_stay_in_sight_while_one_goes_down_the_sliders(
    server, browser
):
    browser.get(f"{server}/Eigenfaces?space=Explorer&start=Mean+face")
    wait_until_done(browser)
    waiting(browser).until(lambda b: b.execute_script(ANSWER))
    for width, height in ((1024, 768), (390, 844)):
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width == 390}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        waiting(browser).until(lambda b: b.execute_script(TOGETHER), f"not together at {size}")
    before = browser.execute_script(ANSWER)
    browser.execute_async_script(DRAG)
    browser.execute_script(RELEASE)
    waiting(browser).until(lambda b: b.execute_script(ANSWER) != before)


def other(script: str, selector: str) -> str:
    """A script for the live face, for another component with a face."""
    return script.replace(".live", selector)


@pytest.mark.slow
def test_a_morph_is_redrawn_at_every_step_of_a_drag_without_the_server(server, browser):
    pixels, drag, release = (other(script, ".line") for script in (PIXELS, DRAG, RELEASE))
    half = pixels.replace(
        "return pixels &&",
        "const box = canvas?.getBoundingClientRect().width;return box >= 300 && pixels &&",
    )
    browser.get(f"{server}/Mix_faces?morph=0")
    wait_until_done(browser)
    waiting(browser).until(lambda b: b.execute_script(half))
    before = browser.execute_script(pixels)
    assert browser.execute_async_script(drag.replace("step / 4", "step / 8")) == 8
    assert browser.execute_script(pixels) != before
    assert "morph=0.00" in browser.current_url
    browser.execute_script(release)
    waiting(browser).until(lambda b: "morph=1.00" in b.current_url)


@pytest.mark.slow
def test_a_class_brought_with_one_click_has_a_live_face_of_its_own(server, browser):
    browser.get(f"{server}/Your_class?class_step=Faces")
    wait_until_done(browser)
    click(browser, "Ten synthetic faces")
    wait_for_text(browser, "10 faces")
    for step in ("Average", "Eigenfaces", "Sliders"):
        wait_until_done(browser)
        click(browser, f"Next: {step}")
        waiting(browser).until(lambda b, step=step: f"class_step={step}" in b.current_url)
    waiting(browser).until(lambda b: b.execute_script(PIXELS))
    before = browser.execute_script(PIXELS)
    assert browser.execute_async_script(DRAG) == 8
    assert browser.execute_script(PIXELS) != before
    browser.execute_script(RELEASE)
    wait_until_done(browser)
    assert "e1=" not in browser.current_url
    click(browser, "Remove all faces")
    wait_for_text(browser, "needs at least two faces")


FILM = """
    const all = [...document.querySelectorAll("*")];
    const host = all.find((x) => x.shadowRoot?.querySelector(".film"));
    const root = host?.shadowRoot, canvas = root?.querySelector("canvas.face");
    const slider = root?.querySelector("input"), button = root?.querySelector("button");
    const step = Number(canvas?.dataset.step), answer = root?.querySelector(".answer").textContent;
"""
FRAME = f"""{FILM}
    const pixels = canvas?.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const sum = pixels && [...pixels].reduce((sum, level, i) => (31 * sum + level) % 1000003, 7);
    return [step, answer, sum];
"""
# Whether the film says what will appear, and the smallest type of its chart, in pixels.
STILL = f"""{FILM}
    const texts = [...root.querySelectorAll("svg text")];
    const sizes = texts.map((x) => parseFloat(getComputedStyle(x).fontSize) * x.getScreenCTM().a);
    return [root.querySelector(".hint").offsetWidth > 0, Math.min(...sizes)];
"""
SCRUB = f"""{FILM}
    slider.value = arguments[0];
    slider.dispatchEvent(new Event("input"));
"""


@pytest.mark.slow
def test_a_walk_is_a_film_that_plays_pauses_and_goes_to_any_step(server, browser):
    browser.get(f"{server}/Eigenfaces?space=Walk&face_label=female")
    wait_for_text(browser, "The invisible version")
    wait_until_done(browser)
    waiting(browser).until(lambda b: b.execute_script(f"{FILM} return answer"))
    assert browser.execute_script(FRAME)[0] == 0
    first = browser.execute_script(FRAME)
    says, size = browser.execute_script(STILL)
    assert says
    assert size >= 12
    browser.execute_script(f"{FILM} button.click()")
    waiting(browser).until(lambda b: b.execute_script(FRAME)[0] > 5)
    browser.execute_script(f"{FILM} button.click()")
    paused = browser.execute_script(FRAME)
    assert paused[0] < 60
    assert paused[2] != first[2]
    assert not browser.execute_script(STILL)[0]
    time.sleep(0.3)
    assert browser.execute_script(FRAME) == paused
    browser.execute_script(f"{FILM} button.click()")
    waiting(browser).until(lambda b: b.execute_script(FRAME)[0] == 60)
    label = first[1].rsplit(" ", 2)[0]
    assert browser.execute_script(FRAME)[1].rsplit(" ", 2)[0] != label
    browser.execute_script(SCRUB, 0)
    assert browser.execute_script(FRAME) == first


@pytest.mark.slow
def test_a_click_on_the_map_shows_the_face_of_that_place(server, browser):
    shown = "img[alt^='The face at this place of the map']"
    browser.get(f"{server}/Eigenfaces?space=Points")
    wait_until_done(browser)
    before = find(browser, shown).get_attribute("src")
    area = find(browser, ".st-key-points .nsewdrag")
    left, up = -area.size["width"] // 4, -area.size["height"] // 4  # from its middle
    pointer = ActionChains(browser).move_to_element_with_offset(area, left, up)
    pointer.pause(0.5).click().perform()
    waiting(browser).until(lambda b: "map_x=-" in b.current_url and "map_y=" in b.current_url)
    waiting(browser).until(
        lambda b: b.find_element(By.CSS_SELECTOR, shown).get_attribute("src") != before
    )


@pytest.mark.slow
def test_an_example_has_its_answer_at_a_click_and_then_its_heat_map(server, browser):
    heat = "img[alt^='Heat map of the decision for '][alt$=' on face 1']"
    browser.get(f"{server}/Live_prediction")
    wait_for_text(browser, "as soon as there is a photo")
    wait_until_done(browser)
    click(browser, "male, 4")
    wait_for_text(browser, "Distance from face space")
    waiting(browser).until(lambda b: b.find_element(By.CSS_SELECTOR, heat).size["width"] > 120)
    (verdict,) = (
        each.text
        for each in browser.find_elements(By.CSS_SELECTOR, "[data-testid=stMain] strong")
        if each.text.startswith("1: ")
    )
    waiting(browser).until(lambda b: "source=Your+face" in b.current_url)
    same = "source=Your+face&face_label=male&face_seed=4"
    browser.get(f"{server}/Live_prediction?{same}&other=second")
    wait_for_text(browser, "agree on 1 of 1")
    waiting(browser).until(lambda b: len(b.find_elements(By.CSS_SELECTOR, heat)) == 2)
    answers = [each.text for each in browser.find_elements(By.CSS_SELECTOR, "strong")]
    assert answers.count(verdict) == 2


@pytest.mark.slow
def test_a_model_is_trained_from_a_zip_and_predicts(server, browser, tmp_path):
    labels = LABELS[:2]
    archive = tmp_path / "drawn.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for label in labels:
            for person in range(12):
                file.writestr(f"{label}/{person}.png", to_png(draw_photo(label, person)))
    browser.get(f"{server}/Your_data")
    wait_until_done(browser)
    choose_files(browser, archive)
    wait_for_text(browser, labels[0])
    wait_until_done(browser)
    name = find(browser, "input[aria-label='Name of the model']")
    name.send_keys(Keys.CONTROL + "a" + Keys.NULL, "drawn", Keys.TAB)
    wait_until_done(browser)
    click(browser, "Start training")
    wait_for_text(browser, "The model drawn was trained in", TRAINING)

    photo = tmp_path / "new.png"
    photo.write_bytes(to_png(draw_photo(labels[1], 40)))
    browser.get(f"{server}/Live_prediction?model=drawn")
    wait_for_text(browser, "as soon as there is a photo")
    choose_files(browser, photo)
    wait_for_text(browser, "Distance from face space")
    assert any(label in browser.find_element(By.TAG_NAME, "body").text for label in labels)


CAMERA = """
    const of = arguments[0] === "look" ? ".camera[data-look]" : ".camera:not([data-look])";
    const all = [...document.querySelectorAll("*")];
    const root = all.find((x) => x.shadowRoot?.querySelector(of))?.shadowRoot;
"""
HOLD = f"""{CAMERA}
    const button = root.querySelectorAll(".holds button")[arguments[1]];
    button.dispatchEvent(new KeyboardEvent(arguments[2], {{key: " "}}));
    return Number(button.querySelector("span").innerText.split(" ")[0]);
"""


# What the browser answers in place of a picture, for once, and what the page says of it.
REFUSE = f"""{CAMERA}
    const [, error, done] = arguments, real = navigator.mediaDevices;
    const set = (where, name, value) => Object.defineProperty(
        where, name, {{value, configurable: true}});
    const refuse = {{getUserMedia: async () => {{ throw new DOMException("", error) }}}};
    set(navigator, "mediaDevices", error ? refuse : undefined);
    root.querySelector("[name=on]").click();
    setTimeout(() => {{
        set(navigator, "mediaDevices", real);
        done(root.querySelector(".problem").textContent);
    }}, 100);
"""
CAMERA_PROBLEMS = {
    "": "only to pages of this computer or over https",
    "NotAllowedError": "The camera is not allowed.",
    "NotFoundError": "No camera was found.",
    "NotReadableError": "in use by another program",
    "AbortError": "The camera cannot be turned on.",
}


def write_film(path: Path, label: str, people: Iterable[int]) -> Path:
    """Write a film of drawn faces, 240 x 320 pixels, which a browser takes for its camera."""
    with open(path, "wb") as file:
        file.write(b"YUV4MPEG2 W320 H240 F10:1 Ip A1:1 C420jpeg\n")
        for person in people:
            photo = np.pad(draw_photo(label, person)[:, :, 0], ((20, 20), (60, 60)), "edge")
            file.write(b"FRAME\n" + photo.tobytes() + bytes([128]) * (2 * 160 * 120))
    return path


def turn_camera_on(browser: webdriver.Chrome, which: str) -> None:
    waiting(browser).until(lambda b: b.execute_script(f"{CAMERA} return root", which))
    browser.execute_script(f"{CAMERA} root.querySelector('[name=on]').click()", which)
    ready = f"{CAMERA} return root.querySelector('video').videoWidth > 0"
    waiting(browser).until(lambda b: b.execute_script(ready, which), "the camera is not on")


def turn_camera_off(browser: webdriver.Chrome, which: str) -> None:
    browser.execute_script(f"{CAMERA} root.querySelector('[name=on]').click()", which)


def hold_twice(browser: webdriver.Chrome, place: int) -> None:
    for holds in ("1 hold", "2 holds"):
        browser.execute_script(HOLD, "hold", place, "keydown")
        time.sleep(0.9)
        browser.execute_script(HOLD, "hold", place, "keyup")
        told = re.compile(rf"Label {place + 1}: \d+ pictures, {holds}\b")
        waiting(browser).until(
            lambda b, told=told: told.search(b.find_element(By.TAG_NAME, "body").text)
        )
        wait_until_done(browser)


@pytest.mark.slow
def test_samples_of_a_held_button_train_a_model_and_the_live_view_answers(server, tmp_path):
    film, kinds = tmp_path / "face.y4m", LABELS[:2]
    people = range(40)  # in four seconds, so that two holds do not see the same ones
    write_film(film, kinds[1], people)
    with open_browser(tmp_path, camera=film) as browser:
        browser.get(f"{server}/Your_data?model=classic&data_from=Camera")
        wait_for_text(browser, "Two holds of each label are needed")
        wait_until_done(browser)
        for error, told in CAMERA_PROBLEMS.items():
            problem = browser.execute_async_script(REFUSE, "hold", error)
            assert told in problem
        turn_camera_on(browser, "hold")
        hold_twice(browser, 1)
        assert browser.execute_script(HOLD, "hold", 1, "keyup") >= 4  # at once, and 5 a second
        wait_for_text(browser, "still to do: Label 1.")
        assert len(browser.find_elements(By.CSS_SELECTOR, "img[alt^='Picture ']")) >= 4
        turn_camera_off(browser, "hold")

        write_film(film, kinds[0], people)  # the browser reads it when the camera is turned on
        turn_camera_on(browser, "hold")
        hold_twice(browser, 0)
        name = find(browser, "input[aria-label='Name of the model']")
        name.send_keys(Keys.CONTROL + "a" + Keys.NULL, "held", Keys.TAB)
        wait_until_done(browser)
        click(browser, "Start training")
        wait_for_text(browser, "The model held was trained in", TRAINING)
        wait_until_done(browser)
        assert picked(browser) == "held"

        find(browser, ".st-key-live_view label").click()
        answer = f"{CAMERA} return root.querySelector('.answer').textContent"
        for i, kind in enumerate(kinds, start=1):
            write_film(film, kind, [50])
            turn_camera_on(browser, "look")
            said = re.compile(rf"Label {i} \d+%")
            waiting(browser).until(
                lambda b, said=said: said.search(b.execute_script(answer, "look")),
                f"no answer is Label {i}",
            )
            turn_camera_off(browser, "look")
        assert complaints(browser) == []


def pictures(browser: webdriver.Chrome, alt: str) -> list[str]:
    """Return the addresses of pictures, which follow from their pixels, by how the texts begin."""
    loaded = "return [...document.images].every((picture) => picture.complete)"
    waiting(browser).until(lambda b: b.execute_script(loaded))  # one that is gone is an error
    shown = browser.find_elements(By.CSS_SELECTOR, f"[data-testid=stMain] img[alt^='{alt}']")
    return [picture.get_attribute("src") for picture in shown]


@pytest.mark.slow
def test_ten_guesses_are_judged_beside_the_model_after_the_last_one(server, browser, shipped_model):
    faces, _ = draw_quiz(shipped_model, 5)
    guesses, seen = [], []
    browser.get(f"{server}/You_against_the_model?quiz_seed=5")
    for i in range(10):
        wait_for_text(browser, f"Face {i + 1} of 10")
        wait_until_done(browser)
        assert not browser.find_elements(By.CSS_SELECTOR, "[data-testid=stMetric]")
        seen += pictures(browser, "Face ")
        label, sure = i % 3 == 0, 80 if i % 2 else 70
        find(browser, f".st-key-guess_{i} label:has(input[value='{label:d}'])").click()
        key = Keys.ARROW_RIGHT if sure == 80 else Keys.ARROW_LEFT  # from 75
        find(browser, f".st-key-sure_{i} input").send_keys(key)
        click(browser, "This is my guess")
        guesses.append((shipped_model.labels[label], sure / 100))
    wait_for_text(browser, "You were 75% sure on average and right in")
    wait_until_done(browser)
    assert len(set(seen)) == 10
    assert pictures(browser, "Face ") == seen
    shown = [each.text for each in browser.find_elements(By.CSS_SELECTOR, "[data-testid=stMetric]")]
    tables = {"You": tabulate_guesses(faces, guesses), "The model": tabulate_answers(faces)}
    figures = []
    for who, table in tables.items():
        right = (table["predicted"] == table["label"]).sum()
        figures += [f"{who}: right\n{right} of 10", f"{who}: Brier score\n{brier_score(table):.3f}"]
    assert [text.removesuffix("\n0 is best") for text in shown] == figures
    click(browser, "Play this round again")
    wait_for_text(browser, "Face 1 of 10")
    waiting(browser).until(lambda b: pictures(b, "Face ") == seen[:1])


@pytest.mark.slow
def test_another_skew_draws_mean_face_eigenfaces_and_groups_of_its_training_anew(server, browser):
    views = {"Mean faces": "Mean face of the {}", "Eigenfaces": "{}, eigenface"}

    def shares() -> list[tuple[str, str]]:
        click(browser, "Answers")
        chart = find(browser, ".st-key-bias-groups [role=figure]").get_attribute("aria-label")
        return re.findall(r"fair (\d+%), skewed (\d+%)", chart)

    def drawn(training: str) -> list[list[str]]:
        found = []
        for view, alt in views.items():
            click(browser, view)
            start = alt.format(training).capitalize()
            waiting(browser).until(lambda b, start=start: pictures(b, start))
            wait_until_done(browser)
            found.append(pictures(browser, start))
        return found

    browser.get(f"{server}/Bias_lab?bias_faces=100&bias_ratio=1")
    wait_for_text(browser, "Skewed: 50 female, 50 male")
    click(browser, "Show the answer")
    assert all(fair == skewed for fair, skewed in shares())
    fair, before = drawn("fair"), drawn("skewed")
    find(browser, ".st-key-bias_ratio input").send_keys(Keys.END)
    waiting(browser).until(lambda b: "bias_ratio=19" in b.current_url)
    waiting(browser).until(lambda b: pictures(b, "Skewed, eigenface") not in ([], before[1]))
    wait_until_done(browser)
    for one, other in zip(before, drawn("skewed"), strict=True):
        assert len(one) == len(other) > 0
        assert not set(one) & set(other)
    assert drawn("fair") == fair
    assert any(fair != skewed for fair, skewed in shares())
    click(browser, "Training faces")
    wait_for_text(browser, "Skewed: 5 female, 95 male")


# What the lesson draws of a step, and a slider or the keyboard moved as a visitor would.
LESSON = """
    const all = [...document.querySelectorAll("*")];
    const host = all.find((x) => x.shadowRoot?.querySelector(".lesson"));
    const root = host?.shadowRoot?.querySelector(".lesson");
"""
LESSON_DRAWN = f"""{LESSON}
    if (!root) return null;
    const told = [...root.querySelectorAll("output, .told")].map((x) => x.textContent).join("|");
    const canvas = root.querySelector(".main canvas, .beside canvas");
    const pixels = canvas?.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const sum = pixels && [...pixels].reduce((sum, level) => (31 * sum + level) % 1000003, 7);
    const line = root.querySelector("svg .axis")?.getAttribute("x1");
    const star = root.querySelector("svg .star")?.getAttribute("transform");
    return [root.dataset.kind, sum, line, star, told].join(" ");
"""
LESSON_DRAG = f"""{LESSON}
    const slider = root.querySelector("input");
    slider.value = arguments[0];
    slider.dispatchEvent(new Event("input"));
"""
LESSON_TYPE = f"""{LESSON}
    const texts = [...root.querySelectorAll("*")].filter((x) =>
        [...x.childNodes].some((part) => part.nodeType === 3 && part.data.trim()));
    const scale = (x) => (x.ownerSVGElement ? x.getScreenCTM().a : 1);
    return Math.min(...texts.map((x) => parseFloat(getComputedStyle(x).fontSize) * scale(x)));
"""
LESSON_KEY = f"""{LESSON}
    const key = new KeyboardEvent("keydown", {{key: "ArrowDown"}});
    root.querySelector(".magnified").dispatchEvent(key);
"""
LESSON_STEPS = {
    "numbers": None,
    "mean": (5, 24),
    "difference": (-1, 2),
    "axes": (-30, 80),
    "eigenfaces": (-2, 2),
    "recipe": (2, 8),
    "map": (-1, 1.5),
}


@pytest.mark.slow
def test_every_picture_of_the_lesson_moves_without_the_server(server, browser):
    size = {"width": 1024, "height": 768, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(f"{server}/What_is_an_eigenface")
    for number, (kind, places) in enumerate(LESSON_STEPS.items(), start=1):
        wait_for_text(browser, f"{number} of {len(LESSON_STEPS)}: ")
        wait_until_done(browser)
        waiting(browser).until(lambda b, k=kind: str(b.execute_script(LESSON_DRAWN)).startswith(k))
        click(browser, "Show the answer")
        wait_for_text(browser, "Ask again")
        wait_until_done(browser)
        waiting(browser).until(lambda b: b.execute_script(LESSON_DRAWN).split(" ", 4)[4])
        seen = {browser.execute_script(LESSON_DRAWN)}
        for place in places or (None, None):
            if places:
                browser.execute_script(LESSON_DRAG, place)
            else:
                browser.execute_script(LESSON_KEY)
            seen.add(browser.execute_script(LESSON_DRAWN))
        assert len(seen) == 3, seen
        assert browser.execute_script(LESSON_TYPE) >= 12
        assert (f"step={number}" in browser.current_url) == (number > 1)
        if number < len(LESSON_STEPS):
            click(browser, "Next")


@pytest.mark.slow
def test_the_recipe_of_a_face_is_added_up_while_one_drags(server, browser):
    browser.get(f"{server}/Eigenfaces?space=Reconstruction")
    wait_until_done(browser)
    waiting(browser).until(lambda b: str(b.execute_script(LESSON_DRAWN)).startswith("recipe"))
    seen = {browser.execute_script(LESSON_DRAWN)}
    for place in (0, 1, 13):
        browser.execute_script(LESSON_DRAG, place)
        seen.add(browser.execute_script(LESSON_DRAWN))
    assert len({drawn.split(" ")[1] for drawn in seen}) == 4, seen
    assert any("150 of its eigenfaces" in drawn for drawn in seen)
