"""The dashboard as a visitor meets it: the real server in headless Chromium."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from screens import ROOT

from facecore.artifacts import load_model
from facecore.images import to_png
from facecore.synth import make_photo

pytest.importorskip("selenium")
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--window-size=1300,1500",
)  # fmt: skip

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver on the PATH"
)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "dashboard.py"],
        cwd=ROOT,
        env=os.environ | {"STREAMLIT_SERVER_HEADLESS": "true", "STREAMLIT_SERVER_PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://localhost:{port}"
    try:
        for _ in range(120):
            try:
                with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):
                    break
            except OSError:
                time.sleep(0.5)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


def wait_for_text(browser: webdriver.Chrome, text: str) -> None:
    WebDriverWait(browser, 90).until(
        lambda b: text in b.find_element(By.TAG_NAME, "body").text, f"no {text!r} on the page"
    )


def complaints(browser: webdriver.Chrome) -> list[str]:
    # On a first visit to a sub-page Streamlit's client looks for its server there before "/".
    entries = [e for e in browser.get_log("browser") if e["level"] == "SEVERE"]
    return [e["message"] for e in entries if "/Live_prediction/_stcore/" not in e["message"]]


def test_a_first_visit_to_a_sub_page_opens_that_page(server, browser):
    browser.get(f"{server}/Live_prediction")
    wait_for_text(browser, "as soon as there is a photo")
    assert complaints(browser) == []


def test_the_home_page_shows_the_way_of_a_photo_and_leads_to_the_live_page(server, browser):
    browser.get(server)
    wait_for_text(browser, "4. As ")
    wait_for_text(browser, "Try it on a photo")
    browser.find_element(By.PARTIAL_LINK_TEXT, "Try it on a photo").click()
    wait_for_text(browser, "Give the model photos")
    assert complaints(browser) == []


def test_an_uploaded_photo_is_answered_in_the_browser(server, browser, tmp_path):
    photo = tmp_path / "made.png"
    photo.write_bytes(to_png(make_photo(load_model("classic"), "male", 3)))
    bad = tmp_path / "notes.jpg"
    bad.write_text("no photo")
    browser.get(f"{server}/Live_prediction")
    wait_for_text(browser, "as soon as there is a photo")
    chooser = WebDriverWait(browser, 30).until(
        lambda b: b.find_element(By.CSS_SELECTOR, "input[type=file]")
    )
    chooser.send_keys(f"{photo}\n{bad}")
    wait_for_text(browser, "Distance from face space")
    wait_for_text(browser, "notes.jpg: the file is not a photo")
    assert complaints(browser) == []
