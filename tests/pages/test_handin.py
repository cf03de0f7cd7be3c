"""The home page offers a report on the chosen model."""

from facecore.evaluation.document import write_report


def test_the_report_is_that_of_the_chosen_model(open_page, downloads):
    app = open_page("dashboard.py")
    assert not app.exception
    assert downloads["classic.html"].decode() == write_report("classic")
    assert "report_faces" not in [box.key for box in app.checkbox]


def test_faces_that_may_be_of_a_person_are_drawn_on_demand(open_page, in_tiny_artifacts, downloads):
    app = open_page("dashboard.py")
    assert b"<img" not in downloads["tiny.html"]
    app.checkbox(key="report_faces").check().run()
    assert not app.exception
    assert downloads["tiny.html"].decode() == write_report("tiny", faces=True)
    assert b"<img" in downloads["tiny.html"]
