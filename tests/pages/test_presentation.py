"""The presentation: no sidebar, and the choice goes along."""

import json

import pytest
from screens import SCREENS

from ui.presentation import PRESENTATION


def test_without_it_the_switch_is_in_the_sidebar(open_page):
    app = open_page("dashboard.py")
    assert not app.sidebar.toggle(key=PRESENTATION).value
    assert "End presentation" not in [button.label for button in app.button]


@pytest.mark.parametrize("screen", SCREENS[::4])
def test_a_presentation_has_no_sidebar_and_its_link_opens_it(open_page, screen):
    app = open_page(screen, presentation="true")
    assert not app.exception
    assert len(app.sidebar) == 0
    assert app.selectbox(key="model").value == "classic"
    assert len(app.get("page_link")) >= 1
    app.button(key="presentation_end").click().run()
    assert not app.exception
    assert app.sidebar.selectbox(key="model").value == "classic"


def test_a_presentation_goes_on_on_the_next_page_with_the_model(open_page, shipped, copy_model):
    for name in ("mine", "other"):
        copy_model(shipped, name)
    app = open_page("dashboard.py", model="other")
    app.sidebar.toggle(key=PRESENTATION).set_value(True).run()
    app.switch_page("pages/7_Ladder.py").run()
    assert not app.exception
    assert len(app.sidebar) == 0
    assert app.selectbox(key="model").value == "other"


def test_the_text_of_charts_is_larger_in_it(open_page):
    sizes = [
        [
            json.loads(chart.proto.spec)["layout"]["xaxis"].get("tickfont", {}).get("size")
            for chart in charts
        ]
        for charts in (
            open_page("pages/4_Evaluation.py", **address).get("plotly_chart")
            for address in ({}, {"presentation": "true"})
        )
    ]
    assert set(sizes[0]) == {None}
    assert set(sizes[1]) == {18}


def test_it_leaves_out_what_its_speaker_says(open_page):
    """The title stays; the sentence below it and the words take the picture's room."""
    screen = "pages/2_Eigenfaces.py"
    alone, presented = (open_page(screen, **how) for how in ({}, {"presentation": "true"}))
    said = [[text.value for text in app.main.markdown] for app in (alone, presented)]
    assert any(text.startswith("A grey face is a point") for text in said[0])
    assert not any(text.startswith("A grey face is a point") for text in said[1])
    assert [app.title[0].value for app in (alone, presented)] == ["Eigenfaces", "Eigenfaces"]
    assert len(alone.main.get("popover")) > len(presented.main.get("popover"))


def test_the_face_that_was_chosen_stands_small_above_the_page(open_page):
    def faces(**address):
        app = open_page("pages/7_Ladder.py", presentation="true", **address)
        assert not app.exception
        return [each.alt for group in app.image for each in group.proto.imgs if "Small" in each.alt]

    assert faces(face_label="male", face_seed="7") == ["Small picture of this face"]
    assert faces() == []
