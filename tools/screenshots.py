"""Take a picture of every page, wide and phone, light and dark: python tools/screenshots.py [DIR]

Every face in them is synthetic and shows no person. Those that the README shows are listed in
`README_SHOTS` and written to docs/screenshots/, with a film of the live face.
"""

import io
import math
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from selenium import webdriver

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks.chromium import open_browser, serve_dashboard, wait_until_done  # noqa: E402

OUT = REPO / "screenshots"
CHOSEN = REPO / "docs" / "screenshots"
PAGES = {
    "home": ("/", 1100),
    "steps": ("/", 3600),
    "lesson": ("/What_is_an_eigenface?step=6", 900),
    "class": ("/Your_class", 900),
    "mix": ("/Mix_faces", 900),
    "bias": ("/Bias_lab", 1000),
    "sizes": ("/Face_sizes", 2000),
    "eigenfaces": ("/Eigenfaces", 1500),
    "reconstruction": ("/Eigenfaces?space=Reconstruction&used=40", 1000),
    "explorer": ("/Eigenfaces?space=Explorer&face_label=female&e1=1.5&e5=-2&e7=1.5", 1000),
    "walk": ("/Eigenfaces?space=Walk&face_label=female", 1300),
    "points": ("/Eigenfaces?space=Points&map_star=true", 1300),
    "eigenface": ("/Eigenfaces?eigenface=3", 1100),
    "you": ("/You_against_the_model", 900),
    "search": ("/Grid_search?model=classic&search_tab=Heat+maps", 1250),
    "search-parallel": ("/Grid_search?model=classic&search_tab=Parallel+coordinates", 1830),
    "search-explorer": ("/Grid_search?search_tab=Explorer", 1600),
    "evaluation": ("/Evaluation?evaluation_tab=Calibration", 1150),
    "unsure": ("/Evaluation?evaluation_tab=Unsure", 1740),
    "compare": ("/Evaluation?other=classic&evaluation_tab=Compare", 1720),
    "groups": ("/Evaluation?evaluation_tab=Groups", 1500),
    "prediction": ("/Live_prediction?source=Your+face", 1200),
    "training": ("/Your_data?data_from=Synthetic+faces", 1100),
    "ladder": ("/Ladder", 1150),
    "ladder-curves": ("/Ladder?rung_view=Training+faces", 1000),
    "ladder-face": ("/Ladder?rung_view=One+face", 1500),
}
# The live face lies in a shadow root, as every component does.
SLIDE = """
    const all = [...document.querySelectorAll("*")];
    const root = all.find((x) => x.shadowRoot?.querySelector(".live")).shadowRoot;
    for (const [place, value] of Object.entries(arguments[0])) {
        const slider = root.querySelectorAll("input")[place];
        slider.value = value;
        slider.dispatchEvent(new Event("input"));
    }
"""
FILMED, FRAMES, PAUSE = (1, 4, 6), 24, 120  # sliders, one after the other; ms of a frame
SHAPES = {"wide": (1300, False), "phone": (390, True)}
README_SHOTS = {
    "home-wide-light",
    "walk-wide-light",
    "search-wide-light",
    "search-parallel-wide-light",
    "unsure-wide-light",
    "compare-wide-light",
    "groups-wide-dark",
    "prediction-wide-light",
    "lesson-wide-light",
    "bias-wide-light",
}


def main() -> None:
    """Take the pictures."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    for folder in (out, CHOSEN):
        folder.mkdir(parents=True, exist_ok=True)
    with serve_dashboard() as (address, _):
        for shape, (width, phone) in SHAPES.items():
            for scheme in ("light", "dark"):
                with (
                    tempfile.TemporaryDirectory() as profile,
                    open_browser(Path(profile), width, phone=phone, dark=scheme == "dark") as tab,
                ):
                    for page, (path, height) in PAGES.items():
                        tab.execute_cdp_cmd(
                            "Emulation.setDeviceMetricsOverride",
                            {
                                "width": width,
                                "height": round(height * (1.8 if phone else 1)),
                                "deviceScaleFactor": 1,
                                "mobile": phone,
                            },
                        )
                        tab.get(address + path)
                        wait_until_done(tab)
                        name = f"{page}-{shape}-{scheme}"
                        tab.save_screenshot(str(out / f"{name}.png"))
                        if name in README_SHOTS:
                            shutil.copy(out / f"{name}.png", CHOSEN)
                        print(out / f"{name}.png")
    film(CHOSEN / "live-face.webp")


def film(target: Path) -> None:
    """Film the live face while three of its sliders are dragged, one after the other."""
    frames = []
    with (
        serve_dashboard() as (address, _),
        tempfile.TemporaryDirectory() as profile,
        open_browser(Path(profile), 1366, dark=False) as tab,
    ):
        tab.set_window_size(1366, 900)
        tab.get(f"{address}/Eigenfaces?space=Explorer&face_label=female")
        wait_until_done(tab)
        for slider in FILMED:
            for i in range(FRAMES):
                value = round(2.5 * math.sin(2 * math.pi * i / FRAMES), 2)
                tab.execute_script(SLIDE, {slider: value})
                frames.append(_shot(tab))
            tab.execute_script(SLIDE, {slider: 0})
    first, *rest = frames
    first.save(target, save_all=True, append_images=rest, duration=PAUSE, loop=0, quality=85)
    print(target)


def _shot(tab: webdriver.Chrome) -> Image.Image:
    """Return the live face with its sliders."""
    box = tab.execute_script(
        "const all = [...document.querySelectorAll('*')];"
        "const live = all.find((x) => x.shadowRoot?.querySelector('.live')).shadowRoot;"
        "const {x, y, width, height} = live.querySelector('.live').getBoundingClientRect();"
        "return [x - 8, y - 8, x + width + 8, y + height + 8];"
    )
    picture = Image.open(io.BytesIO(tab.get_screenshot_as_png())).convert("RGB").crop(box)
    return picture.resize((760, round(760 * picture.height / picture.width)))


if __name__ == "__main__":
    main()
