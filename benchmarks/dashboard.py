"""How fast the dashboard is for a visitor, in Chromium, and how much memory its server takes.

    python benchmarks/dashboard.py [--quick] [--json FILE]

Measured in the browser: the first paint of the home page, on a warm server with an empty browser
cache; page switches in the sidebar, until the page is complete; and a key press on a slider of the
explorer, until the new face is on the screen. The aims are 2 s, 1 s and 0.3 s.
"""

import argparse
import json
import platform
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from selenium import webdriver  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

from benchmarks.chromium import DONE, open_browser, serve_dashboard, wait_until_done  # noqa: E402

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
# Note when a key goes down and when the next picture has loaded.
WATCH = """
    window.moved = {};
    document.addEventListener("keydown", () => {
        const picture = () => document.querySelector("[data-testid=stImage] img");
        const old = picture().src;
        const start = performance.now();
        window.moved = {};
        const look = () => {
            const now = picture();
            if (now !== null && now.src !== old && now.complete)
                window.moved = { ms: performance.now() - start };
            else requestAnimationFrame(look);
        };
        look();
    }, true);
"""


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
        paint = [first_paint(browser, address) for _ in range(repeats)]
        switches = [s for _ in range(max(1, repeats // 3)) for s in switch_all(browser, pages)]
        moves = move_slider(browser, address, repeats)
        for i in range(VISITS // (5 if options.quick else 1)):
            browser.get(f"{address}{list(pages.values())[i % len(pages)]}")
            wait_until_done(browser)
        memory[f"{VISITS // (5 if options.quick else 1)} more visits"] = resident(process.pid)
    figures: dict[str, Any] = {
        "first_paint_s": round(median(p[0] for p in paint), 3),
        "home_complete_s": round(median(p[1] for p in paint), 3),
        "page_switch_title_s": round(median(s[1] for s in switches), 3),
        "page_switch_s": round(median(s[2] for s in switches), 3),
        "page_switch_slowest": max(switches, key=lambda s: s[2])[0],
        "page_switch_by_page_s": {
            page: round(median(s[2] for s in switches if s[0] == page), 3) for page in pages
        },
        "slider_s": round(median(moves), 3),
        "memory_mb": memory,
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
    }
    print(json.dumps(figures, indent=1))
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


def first_paint(browser: webdriver.Chrome, address: str) -> tuple[float, float]:
    """Open the home page with an empty cache; return seconds to first paint and to completion."""
    browser.get("about:blank")
    browser.execute_cdp_cmd("Network.clearBrowserCache", {})
    browser.get(address)
    WebDriverWait(browser, 60, 0.02).until(lambda b: b.execute_script(DONE))
    return tuple(
        ms / 1e3
        for ms in browser.execute_script(
            "return [performance.getEntriesByName('first-contentful-paint')[0].startTime, "
            "performance.now()]"
        )
    )


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


def move_slider(browser: webdriver.Chrome, address: str, count: int) -> list[float]:
    """Press a key on an explorer slider; return the seconds until each new face is shown."""
    browser.get(f"{address}/Eigenfaces?space=Explorer")
    wait_until_done(browser)
    browser.execute_script(WATCH)
    thumb = browser.find_element(By.CSS_SELECTOR, "[data-testid=stSlider] input[type=range]")
    moves = []
    for _ in range(count):
        thumb.send_keys(Keys.ARROW_RIGHT)
        time.sleep(1)  # asking the browser earlier would slow down what is measured
        moves.append(
            WebDriverWait(browser, 30, 0.05).until(
                lambda b: b.execute_script("return window.moved.ms")
            )
        )
        wait_until_done(browser)
    return [ms / 1e3 for ms in moves]


def resident(pid: int) -> float:
    """Return the resident memory of a process, in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * 4096 / 1e6, 1)


if __name__ == "__main__":
    main()
