"""How fast the dashboard is for a visitor, in Chromium, and how much memory its server takes.

    python benchmarks/dashboard.py [--quick] [--json FILE]

Measured in the browser, on a warm server: the home page until all of it is drawn, with a browser
that knows the dashboard's scripts and with one that does not; page switches in the sidebar, until
the page is complete; how often the live face is redrawn while a slider is dragged, and how often
the screen is; and an upload of 250 x 250 pixels, until the verdict and until the heat map are
painted. `AIMS` has what they are measured against.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

import cv2  # noqa: E402
from selenium import webdriver  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

from benchmarks.chromium import DONE, open_browser, serve_dashboard, wait_until_done  # noqa: E402
from facecore.face import to_png  # noqa: E402
from facecore.model import load_model, make_photo  # noqa: E402

UPLOADED, SIZE = "aligned", (250, 250)
VISITS = 50
# Click a link and check every frame: when is the title there, and when is everything there?
SWITCH = f"""
    const [link, title, answer] = arguments;
    const done = () => {{ {DONE} }};
    const start = performance.now();
    let seen = null;
    link.click();
    const look = () => {{
        const heading = document.querySelector("h1");
        if (heading !== null && heading.innerText.trim() === title) {{
            seen ??= performance.now() - start;
            if (done()) return answer([seen, performance.now() - start]);
        }}
        requestAnimationFrame(look);
    }};
    look();
"""
# Drag a slider of the live face for some seconds, one step in each frame of the screen.
DRAG = """
    const [ms, answer] = arguments;
    const all = [...document.querySelectorAll("*")];
    const root = all.find((x) => x.shadowRoot?.querySelector(".live")).shadowRoot;
    const slider = root.querySelector("input"), canvas = root.querySelector(".face canvas");
    const before = Number(canvas.dataset.frames), start = performance.now();
    let frames = 0;
    const next = () => {
        const seconds = (performance.now() - start) / 1e3;
        if (1e3 * seconds >= ms)
            return answer([(canvas.dataset.frames - before) / seconds, frames / seconds]);
        frames += 1;
        slider.value = 2 * Math.sin(3 * seconds);
        slider.dispatchEvent(new Event("input"));
        requestAnimationFrame(next);
    };
    next();
"""
# Note when a file is chosen, and the frames in which the verdict and the heat map are there.
WATCH = """
    window.seen = {};
    document.querySelector("input[type=file]").addEventListener("change", () => {
        const start = performance.now();
        const look = () => {
            const now = performance.now() - start;
            const texts = [...document.querySelectorAll("[data-testid=stMarkdown] strong")];
            if (texts.some((x) => x.innerText.startsWith("1:"))) window.seen.verdict ??= now;
            const map = document.querySelector("img[alt^='Heat map of']");
            if (map !== null && map.complete) window.seen.heat ??= now;
            if (!("heat" in window.seen)) requestAnimationFrame(look);
        };
        look();
    }, true);
"""
DRAGGED = 3000  # milliseconds
# Figure, what it is, the most that it may be (or the least), and its unit.
AIMS = (
    ("home_drawn_s", "home page drawn, warm server", "<= 2", "s"),
    ("home_drawn_empty_cache_s", "the same, empty browser cache", "", "s"),
    ("first_paint_s", "first paint of it, empty browser cache", "<= 2", "s"),
    ("page_switch_s", "page switch until all is drawn", "<= 1", "s"),
    ("redraws_per_s", "live face redrawn while dragging", ">= 30", "/s"),
    ("redraws_per_frame", "the same, per frame of the screen", "", ""),
    ("verdict_s", "verdict after an upload of 250 x 250 pixels, `aligned`", "<= 0.5", "s"),
    ("verdict_first_s", "the same, first upload of a visitor", "", "s"),
    ("heat_s", "its heat map", "", "s"),
    ("memory_mb", "memory of the server after all visits", "", "MB"),
)


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    options = parser.parse_args()
    repeats = 3 if options.quick else 9
    with (
        tempfile.TemporaryDirectory() as folder,
        serve_dashboard() as (address, process),
        open_browser(Path(folder)) as browser,
    ):
        memory = {"start": resident(process.pid)}
        pages = visit_all(browser, address)
        memory["every page once"] = resident(process.pid)
        cold = [open_home(browser, address, empty=True) for _ in range(repeats)]
        warm = [open_home(browser, address) for _ in range(repeats)]
        switches = [s for _ in range(max(1, repeats // 3)) for s in switch_all(browser, pages)]
        redraws, frames = drag_live_face(browser, address)
        uploads = [upload(browser, address, Path(folder), seed) for seed in range(repeats)]
        visits = VISITS // (5 if options.quick else 1)
        for i in range(visits):
            browser.get(f"{address}{list(pages.values())[i % len(pages)]}")
            wait_until_done(browser)
        memory[f"{visits} more visits"] = resident(process.pid)
    figures: dict[str, Any] = {
        "home_drawn_s": round(median(drawn for _, drawn in warm), 3),
        "home_drawn_empty_cache_s": round(median(drawn for _, drawn in cold), 3),
        "first_paint_s": round(median(first for first, _ in cold), 3),
        "page_switch_title_s": round(median(s[1] for s in switches), 3),
        "page_switch_s": round(median(s[2] for s in switches), 3),
        "page_switch_slowest": max(switches, key=lambda s: s[2])[0],
        "page_switch_by_page_s": {
            page: round(median(s[2] for s in switches if s[0] == page), 3) for page in pages
        },
        "redraws_per_s": round(redraws, 1),
        "redraws_per_frame": round(redraws / frames, 2),
        "verdict_first_s": round(uploads[0][0], 3),
        "verdict_s": round(median(verdict for verdict, _ in uploads[1:]), 3),
        "heat_s": round(median(heat for _, heat in uploads[1:]), 3),
        "memory_mb": list(memory.values())[-1],
        "memory_by_stage_mb": memory,
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "commit": commit(),
    }
    print(json.dumps(figures, indent=1))
    print(f"| what | measured at {figures['commit']} | aim |\n|---|---|---|")
    for name, words, aim, unit in AIMS:
        met = "" if not aim else " (met)" if reaches(figures[name], aim) else " (missed)"
        print(f"| {words} | {figures[name]} {unit} | {aim and f'{aim} {unit}'}{met} |")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def visit_all(browser: webdriver.Chrome, address: str) -> dict[str, str]:
    """Visit every page of the sidebar once; return the path of each page by its title."""
    browser.get(address)
    wait_until_done(browser)
    links = [
        link.get_attribute("href")
        for link in browser.find_elements(By.CSS_SELECTOR, "[data-testid=stSidebarNavLink]")
    ]
    pages = {}
    for link in links:
        browser.get(link)
        wait_until_done(browser)
        pages[browser.find_element(By.TAG_NAME, "h1").text] = link.removeprefix(address)
    return pages


def open_home(browser: webdriver.Chrome, address: str, empty: bool = False) -> tuple[float, float]:
    """Open the home page, perhaps with an empty cache; return seconds to first and last paint."""
    browser.get("about:blank")
    if empty:
        browser.execute_cdp_cmd("Network.clearBrowserCache", {})
    browser.get(address)
    WebDriverWait(browser, 60, 0.02).until(lambda b: b.execute_script(DONE))
    first, last = browser.execute_script(
        "return [performance.getEntriesByName('first-contentful-paint')[0].startTime, "
        "performance.now()]"
    )
    return first / 1e3, last / 1e3


def switch_all(browser: webdriver.Chrome, pages: dict[str, str]) -> list[tuple[str, float, float]]:
    """Click through the sidebar; return title, seconds to the title, seconds to completion."""
    browser.set_script_timeout(60)
    times = []
    for title, path in [*list(pages.items())[1:], *list(pages.items())[:1]]:
        link = next(
            link
            for link in browser.find_elements(By.CSS_SELECTOR, "[data-testid=stSidebarNavLink]")
            if link.get_attribute("href").split("?")[0].rstrip("/").endswith(path.rstrip("/"))
        )
        seen, done = browser.execute_async_script(SWITCH, link, title)
        times.append((title, seen / 1e3, done / 1e3))
    return times


def drag_live_face(browser: webdriver.Chrome, address: str) -> tuple[float, float]:
    """Drag a slider of the live face; return its redraws and the screen's frames per second."""
    browser.get(f"{address}/Eigenfaces?space=Explorer")
    wait_until_done(browser)
    redraws, frames = browser.execute_async_script(DRAG, DRAGGED)
    return redraws, frames


def upload(browser: webdriver.Chrome, address: str, folder: Path, seed: int) -> tuple[float, float]:
    """Upload a photo that the server has not seen; return seconds to its verdict and heat map."""
    photo = folder / f"{seed}.png"
    photo.write_bytes(to_png(cv2.resize(make_photo(load_model(UPLOADED), "male", seed), SIZE)))
    browser.get(f"{address}/Live_prediction?model={UPLOADED}")
    wait_until_done(browser)
    browser.execute_script(WATCH)
    browser.find_element(By.CSS_SELECTOR, "input[type=file]").send_keys(str(photo))
    WebDriverWait(browser, 60, 0.2).until(
        lambda b: b.execute_script("return 'heat' in window.seen"), "no heat map"
    )
    seen = browser.execute_script("return window.seen")
    return seen["verdict"] / 1e3, seen["heat"] / 1e3


def reaches(figure: float, aim: str) -> bool:
    """Return whether a figure reaches an aim, such as ``"<= 2"``."""
    sign, number = aim.split()
    return figure <= float(number) if sign == "<=" else figure >= float(number)


def commit() -> str:
    """Return what was measured; a plus sign stands for changes that are not committed."""
    git = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    return subprocess.run(git, cwd=REPO, capture_output=True, text=True, check=False).stdout.strip()


def resident(pid: int) -> float:
    """Return the resident memory of a process, in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * 4096 / 1e6, 1)


if __name__ == "__main__":
    main()
