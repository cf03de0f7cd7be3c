"""The dashboard's real server in headless Chromium, for the benchmark, screenshots and tests."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

REPO = Path(__file__).resolve().parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--hide-scrollbars",
)
PATIENCE = 90  # seconds
# The script has run, no placeholder is left, and every chart is drawn.
DONE = """
    const app = document.querySelector("[data-testid=stApp]");
    const charts = [...document.querySelectorAll("[data-testid=stPlotlyChart]")];
    return app !== null && app.dataset.testScriptState === "notRunning"
        && document.querySelector("h1") !== null
        && document.querySelector("[data-testid=stSkeleton]") === null
        && charts.every((chart) => chart.querySelector(".main-svg, canvas") !== null);
"""


@contextmanager
def serve_dashboard(
    environment: Mapping[str, str] | None = None,
) -> Iterator[tuple[str, subprocess.Popen]]:
    """Run the dashboard on a free port of this computer.

    Parameters
    ----------
    environment : mapping of str to str, optional
        Environment variables to set in addition to the present ones.

    Yields
    ------
    address : str
        URL of the home page, without the last slash.
    process : Popen
        The server.
    """
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "dashboard.py"],
        cwd=REPO,
        env=os.environ
        | {"STREAMLIT_SERVER_HEADLESS": "true", "STREAMLIT_SERVER_PORT": str(port)}
        | dict(environment or {}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://localhost:{port}"
    try:
        for _ in range(PATIENCE * 10):
            try:
                with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):
                    break
            except OSError:
                time.sleep(0.1)
        else:
            raise RuntimeError(f"the dashboard did not start within {PATIENCE} seconds")
        yield address, process
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def open_browser(
    folder: Path,
    width: int = 1300,
    height: int = 1500,
    *,
    phone: bool = False,
    dark: bool = False,
    camera: Path | None = None,
) -> Iterator[webdriver.Chrome]:
    """Start headless Chromium with a profile of its own.

    Parameters
    ----------
    folder : Path
        Folder for the profile and downloads.
    width, height : int
        Size of the window in pixels.
    phone : bool
        Whether to behave like a phone's browser.
    dark : bool
        Whether to prefer dark colours.
    camera : Path, optional
        Film in the format Y4M that the camera sees, again and again; a test picture if None.

    Yields
    ------
    Chrome
    """
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (
        *FLAGS,
        f"--window-size={width},{height}",
        f"--user-data-dir={folder / 'profile'}",
    ):
        options.add_argument(flag)
    if camera is not None:
        options.add_argument(f"--use-file-for-fake-video-capture={camera}")
    options.add_experimental_option(
        "prefs", {"download.default_directory": str(folder), "download.prompt_for_download": False}
    )
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone},
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        yield driver
    finally:
        driver.quit()


def wait_until_done(browser: webdriver.Chrome) -> None:
    """Wait until the page shows everything that it has.

    Parameters
    ----------
    browser : Chrome
        Browser in which the page is open.
    """
    WebDriverWait(browser, PATIENCE, 0.1).until(
        lambda b: b.execute_script(DONE), "the page did not come to rest"
    )
