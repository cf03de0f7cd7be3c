"""The link of a page: the browser's own address, and a QR code that a camera reads."""

import cv2
import numpy as np

from ui.share import draw_code, in_network

CAMERA = "Point a phone's camera at the code"
HERE = "http://localhost:8501/Eigenfaces?model=classic"


def opened(app, url):
    """Open the link as a visitor does whose browser shows a URL."""
    app.context["url"] = url
    return app.button(key="link").click().run()


def click(app, label):
    next(button for button in app.button if button.label == label).click().run()


def said(app):
    return "\n".join(each.value for each in app.markdown)


def test_the_code_says_the_address():
    address = "https://example.org/Ladder?model=my+own&rung_view=One+face"
    picture = cv2.imdecode(np.frombuffer(draw_code(address), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert cv2.QRCodeDetector().detectAndDecode(picture)[0] == address
    assert picture[:30].min() == 255  # the white margin that cameras need


def test_an_address_too_long_for_a_code_has_none():
    assert draw_code("x" * 3000) is None


def test_a_server_for_this_computer_alone_has_no_address_in_the_network(monkeypatch):
    monkeypatch.setattr("streamlit.get_option", {"server.address": "localhost"}.get)
    assert in_network(HERE) is None


def test_a_server_for_others_has_its_own_address_in_place_of_localhost(monkeypatch):
    monkeypatch.setattr("streamlit.get_option", {"server.address": "10.1.2.3"}.get)
    assert in_network(HERE) == "http://10.1.2.3:8501/Eigenfaces?model=classic"


def test_the_link_holds_the_model_and_the_controls(open_page):
    app = open_page("pages/2_Eigenfaces.py", space="Reconstruction")
    app = opened(app, "https://example.org/faces/Eigenfaces")
    assert not app.exception
    address = app.code[0].value
    assert address.startswith("https://example.org/faces/Eigenfaces?")
    assert "space=Reconstruction" in address
    assert "model=classic" in address
    assert CAMERA in said(app)


def test_the_link_holds_the_face_that_was_chosen_with_a_click(open_page):
    app = open_page("pages/5_Live_prediction.py")
    click(app, "male, 4")
    app = opened(app, "https://example.org/Live_prediction")
    assert not app.exception
    address = app.code[0].value
    assert "face_label=male" in address
    assert "face_seed=4" in address
    click(app, "First face again")
    address = opened(app, "https://example.org/Live_prediction").code[0].value
    assert "face_seed" not in address


def test_on_this_computer_alone_it_says_that_no_phone_can_open_it(open_page):
    app = opened(open_page("dashboard.py"), "http://localhost:8501/")
    assert not app.exception
    assert "a phone cannot open it" in said(app)
    assert "--server.address 0.0.0.0" in app.code[1].value
    assert CAMERA not in said(app)
