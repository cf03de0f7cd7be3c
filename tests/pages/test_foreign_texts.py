"""Labels, names and titles with markup in them are shown as they are, on every screen."""

import json

import numpy as np
import pytest
from cartoons import draw_face, draw_photo, encode
from screens import SCREENS, SEARCH_TABS

from facecore.model.store import (
    load_model,
    read_evaluation,
    read_metadata,
    read_model_table,
    write_model,
)
from facecore.training.arrays import train_arrays
from ui.samples import SampleLabel

# No escaped form of one of these contains the text itself, so that a search finds what was missed.
MARKUP = [
    "*a*",
    "$x$ and $y$",
    "<b>b</b>",
    "a|b",
    ":smile:",
    ":red[r]",
    ":material/home:",
    "[l](u)",
    "`c`",
    "~~s~~",
    "_u_",
    "www.w.example",
]
FEW, TWO = MARKUP[:7], MARKUP[1:3]
TITLE, SET = ":smile: $t$ and *t*", "set *s* <i>"
TABLES = ("predictions", "sizes", "grid_search", "coordinates")
VIEWS = [
    *((screen, {}) for screen in SCREENS),
    ("pages/0_What_is_an_eigenface.py", {"step": "7"}),
    *(
        ("pages/2_Eigenfaces.py", {"space": view})
        for view in ("Reconstruction", "Explorer", "Walk", "Points")
    ),
    *(("pages/3_Grid_search.py", {"search_tab": tab}) for tab in SEARCH_TABS[1:]),
    *(
        ("pages/4_Evaluation.py", {"evaluation_tab": tab})
        for tab in ("Curves", "Calibration", "Unsure", "Groups")
    ),
    ("pages/5_Live_prediction.py", {"source": "Synthetic face"}),
    ("pages/7_Ladder.py", {"rung_view": "One face"}),
    ("dashboard.py", {"model_card": "true"}),
]
PAIRS = [
    ("pages/4_Evaluation.py", {}),
    ("pages/4_Evaluation.py", {"evaluation_tab": "Compare"}),
    ("pages/5_Live_prediction.py", {"source": "Synthetic face"}),
]
# Elements that show their texts as they are, and fields that are not Markdown.
LITERAL = {"dataframe", "plotly_chart", "html", "code", "text", "bidi_component"}
NOT_SHOWN = {
    *("alt", "id", "url", "page", "markup", "query_param_key", "options", "placeholder"),
    "default",  # of a field to type in
}


def train(name: str, labels: list[str]) -> None:
    each = np.repeat(labels, 6)
    faces = np.array([draw_face("round", i // 6, i) for i in range(len(each))])
    split = ["train"] * 4 + ["test"] * 2
    grid = "tiny.json"
    train_arrays(faces, each, name, split=split * len(labels), grid=grid, note=f"See {MARKUP[1]}.")
    model, metadata = load_model(name), read_metadata(name)
    (data,) = metadata["data"].values()
    (figures,) = read_evaluation(name).values()
    tables = {each: read_model_table(each, name) for each in TABLES}
    tables["predictions"] = tables["predictions"].assign(set=SET)
    metadata |= {"title": TITLE, "data": {SET: data}}
    tables = {key: table for key, table in tables.items() if table is not None}
    write_model(name, model, metadata, tables, {SET: figures})


@pytest.fixture(scope="module")
def models(once, tiny_grid):
    """A folder of models whose labels are markup: many, few and two of them."""

    def make(folder):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FACECORE_ARTIFACTS", str(folder / "models"))
            patch.chdir(tiny_grid.parent)
            for name, labels in (("many", MARKUP), ("few", FEW), ("second", FEW), ("two", TWO)):
                train(name, labels)

    return once("markup", make) / "models"


@pytest.fixture(params=["many", pytest.param("few", marks=pytest.mark.slow), "two"])
def model(request, models, monkeypatch) -> str:
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(models))
    return request.param


def texts_of(message) -> list[str]:
    """The Markdown of an element, with that of all its parts."""
    texts = []
    for field, value in message.ListFields():
        if field.name in NOT_SHOWN:
            continue
        for each in value if field.is_repeated else [value]:
            if field.type == field.TYPE_STRING:
                texts.append(each)
            elif field.type == field.TYPE_MESSAGE:
                texts += texts_of(each)
    return texts


def strings_in(part) -> list[str]:
    if isinstance(part, str):
        return [part]
    inside = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return [text for each in inside for text in strings_in(each)]


def check(app, more=()) -> None:
    """No text on the screen holds a foreign text that is not escaped."""
    assert not app.exception
    foreign = [*MARKUP, TITLE, SET, *more]
    for node in [*app.main, *app.sidebar]:
        proto = getattr(node, "proto", None)
        if proto is None or node.type in LITERAL:
            continue
        for text in texts_of(proto):
            assert not [each for each in foreign if each in text], (node.type, text)
    for chart in app.get("plotly_chart"):
        for text in strings_in(json.loads(chart.proto.spec)):
            assert not [each for each in ("<b>b", "$x$", "<i>") if each in text], text
    for element in app.get("html"):
        assert not [each for each in ("<b>b", "<i>") if each in element.proto.body]


@pytest.mark.parametrize(("screen", "address"), VIEWS)
def test_a_screen_shows_no_markup_of_others(open_page, model, screen, address):
    check(open_page(screen, model=model, **address))


@pytest.mark.parametrize(("screen", "address"), PAIRS)
def test_two_models_show_no_markup_of_others(open_page, models, monkeypatch, screen, address):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(models))
    check(open_page(screen, model="few", other="second", **address))


def test_a_title_and_labels_are_there_escaped_and_in_lists_as_they_are(open_page, model):
    app = open_page("dashboard.py", model=model)
    assert ":\u2060smile: \\$t\\$ and \\*t\\*" in [header.value for header in app.header]
    labels = {"many": MARKUP, "few": FEW, "two": TWO}[model]
    assert sorted(app.selectbox(key="face_label").options) == sorted(labels)
    one = labels[-1]  # its link names it as it is
    assert (
        open_page("dashboard.py", model=model, face_label=one).selectbox("face_label").value == one
    )


@pytest.mark.parametrize("count", [1, 5])
def test_names_of_uploads(open_page, models, monkeypatch, count):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(models))
    app = open_page("pages/5_Live_prediction.py", model="few", source="Upload")
    photo = encode(draw_photo("round", 3), "PNG")
    names = [
        f"{each.replace('/', '')}.png" for each in ("*a*", ":smile:", "$x$ and $y$", "_u_", "`c`")
    ]
    files = [(name, photo, "image/png") for name in names[:count]]
    app.file_uploader[0].set_value([*files, ("[l](u).png", b"x", "image/png")]).run()
    check(app, names)


def test_labels_and_errors_of_photos_to_train_on(open_page, models, monkeypatch, tmp_path):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(models))
    for label in ("*a*", "$x$ and $y$"):
        (tmp_path / "sets" / label).mkdir(parents=True)
        for i in range(2):
            (tmp_path / "sets" / label / f"{i}.png").write_bytes(
                encode(draw_photo("round", i), "PNG")
            )
    app = open_page("pages/6_Your_data.py", model="few", data_from="Folder")
    app.text_input(key="data_folder").set_value(str(tmp_path / "sets")).run()
    check(app)
    assert r"**\*a\***" in [text.value for text in app.markdown]
    assert any(" has 2 photos" in text.value for text in app.warning)
    app.text_input(key="data_folder").set_value(str(tmp_path / "*a* and $x$ and $y$")).run()
    assert app.error
    check(app)


def test_labels_of_a_trial_in_the_bias_lab(open_page, models, monkeypatch):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(models))
    app = open_page("pages/14_Bias_lab.py", model="few", bias="A giveaway", bias_faces="100")
    app.button(key="bias_skip").click().run()
    check(app)
    for view in ("Training faces", "What helps"):
        app.segmented_control(key="bias_show").set_value(view).run()
        check(app)


def test_labels_of_samples_from_the_camera(open_page, models, monkeypatch):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(models))
    app = open_page("pages/6_Your_data.py", model="two", data_from="Camera")
    photo = encode(draw_photo("round", 1))
    for count in (1, 2):
        holds = ((photo,),) * count
        labels = tuple(SampleLabel(i, label, holds) for i, label in enumerate(MARKUP[:3]))
        app.session_state["camera_samples"] = labels
        app.run()
        check(app)
