"""The dashboard under axe-core: contrast, names, roles and headings, by WCAG 2 A and AA.

Half of the pages are opened in the light, half in the dark. FACECORE_AXE=all opens every
page and view in light and dark, wide and as on a phone, and some in a presentation.
"""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest
from screens import PAGES

pytest.importorskip("selenium")
from selenium import webdriver

from benchmarks.chromium import CHROMIUM, DRIVER, open_browser, wait_until_done

# Only its copy of axe-core is of use here; the package itself is not imported.
AXE = find_spec("pytest_playwright_axe")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver on the PATH"
    ),
    pytest.mark.skipif(
        AXE is None,
        reason="axe-core is not here: "
        "pip install --no-deps --ignore-requires-python -r requirements-axe.txt",
    ),
]

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
# What Streamlit draws and an app cannot change: rule, selector of what it is in, and why.
OF_STREAMLIT = (
    ("list", "ul[data-testid=stSidebarNavItems]", "the groups of the menu are divs in its list"),
    ("listitem", "ul[data-testid=stSidebarNavItems] li", "and its items stand in these divs"),
    (
        "presentation-role-conflict",
        "section[data-testid=stFileUploaderDropzone]",
        "the place to drop files has no role, and yet a name",
    ),
    (
        "scrollable-region-focusable",
        "[data-testid=stCode] pre",
        "on a phone long lines of code scroll, and the box takes no focus but by the browser's own",
    ),
)
RUN = """
    const [tags, accepted, done] = arguments;
    const options = {
        runOnly: { type: "tag", values: tags }, resultTypes: ["violations"], elementRef: true };
    axe.run(document, options).then(({ violations }) => {
        const found = violations.flatMap(({ id, help, nodes }) => nodes
            .filter(({ element }) => !accepted.some(
                ([rule, selector]) => rule === id && element.closest(selector)))
            .map(({ target, html }) => [
                id, help, target.flat().join(" "), html.slice(0, 200)].join(" | ")));
        done(found);
    }, (error) => done([String(error)]));
"""
# axe-core reads the colour of a text, but that of a chart's text is its fill.
FAINT = """
    const paint = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
    const rgba = (colour) => {
        paint.clearRect(0, 0, 1, 1); paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = paint.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    };
    const over = ([r, g, b, a], below) =>
        [r, g, b].map((c, i) => c * a + below[i] * (1 - a)).concat(1);
    const light = (colour) => {
        const [r, g, b] = colour.map((c) => c / 255).map(
            (c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (node) => {
        const layers = [];
        for (let x = node; x; x = x.parentElement)
            layers.unshift(getComputedStyle(x).backgroundColor);
        return layers.reduce((below, colour) => over(rgba(colour), below), [255, 255, 255, 1]);
    };
    const found = [];
    // Text on a bar lies on its colour, and plotly chooses its own after that; cells have a test.
    const cells = ".js-plotly-plot:has(.heatmaplayer image) .annotation *";
    const texts = `.js-plotly-plot text:not(.bartext, ${cells})`;
    for (const node of document.querySelectorAll(texts)) {
        if (!node.textContent.trim() || !node.getClientRects().length) continue;
        let opacity = 1;
        for (let x = node; x; x = x.parentElement) opacity *= Number(getComputedStyle(x).opacity);
        if (opacity === 0) continue;
        const below = behind(node.closest(".js-plotly-plot"));
        const [r, g, b, a] = rgba(getComputedStyle(node).fill);
        const one = light(over([r, g, b, a * opacity], below)), two = light(below);
        const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
        if (ratio < 4.5) found.push(`${ratio.toFixed(2)}: ${node.textContent.trim().slice(0, 60)}`);
    }
    return found;
"""
# A picture without a text, a faint text and a faint number of a chart: each is to be found.
SPOIL = """
    document.querySelector("[data-testid=stMainBlockContainer]").insertAdjacentHTML("beforeend", `
        <img src="data:,"><p style="color: #777; font-size: 16px">Faint</p>
        <svg class="js-plotly-plot"><text y="20" style="fill: #777">0.5</text></svg>`);
"""
VIEWS = (
    "Eigenfaces?space=Reconstruction",
    "Eigenfaces?space=Explorer&start=Mean+face",
    "Eigenfaces?space=Walk",
    "Eigenfaces?space=Points",
    "Eigenfaces?eigenface=3",
    *(f"What_is_an_eigenface?step={step}" for step in range(2, 8)),
    "Mix_faces?mix=Average",
    "Mix_faces?mix=Caricature",
    *(f"Evaluation?evaluation_tab={tab}" for tab in ("Groups", "Calibration", "Confusion")),
    *(f"Grid_search?search_tab={tab}" for tab in ("Components", "Heat+maps", "Explorer")),
    *(f"Ladder?rung_view={view}" for view in ("Components", "Training+faces", "One+face")),
    "Live_prediction?source=Synthetic+face&seed=15",
    "Your_data?data_from=Synthetic+faces",
    "?presentation=true",
    "Eigenfaces?space=Explorer&presentation=true",
)
ALL = os.environ.get("FACECORE_AXE") == "all"
ADDRESSES = ("", *(Path(page).stem.split("_", 1)[1] for page in PAGES))


def complaints(browser: webdriver.Chrome) -> list[str]:
    """What axe-core finds on the page that is open, and texts of charts that are too faint."""
    browser.execute_script(
        (Path(AXE.origin).parent / "resources" / "axe.min.js").read_text("utf-8")
    )
    accepted = [[rule, selector] for rule, selector, _ in OF_STREAMLIT]
    found = browser.execute_async_script(RUN, TAGS, accepted)
    return found + browser.execute_script(FAINT)


@pytest.mark.parametrize("phone", [False, True] if ALL else [False], ids=lambda on: f"phone-{on}")
@pytest.mark.parametrize("dark", [False, True], ids=lambda on: f"dark-{on}")
def test_every_page_can_be_read_and_used_by_everybody(server, tmp_path, dark, phone):
    addresses = (*VIEWS, *ADDRESSES) if ALL else ADDRESSES[int(dark) :: 2]
    found = {}
    with open_browser(tmp_path, 390 if phone else 1300, phone=phone, dark=dark) as browser:
        for address in addresses:
            browser.get(f"{server}/{address}")
            wait_until_done(browser)
            if said := complaints(browser):
                found[address] = said
        assert found == {}
        browser.execute_script(SPOIL)
        spoilt = [text.split(" | ")[0] for text in complaints(browser)]
        assert len(spoilt) == 3
        assert {"color-contrast", "image-alt"} < set(spoilt)
