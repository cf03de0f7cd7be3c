"""Why many photos yielded no face: only where many did, with the option that helps."""

import numpy as np
import pandas as pd
import pytest

from facecore.data.losses import describe_losses, find_losses


def photos(widths=(), no_face=0, unreadable=0, duplicate=0, minimum=54, side=500) -> pd.DataFrame:
    """Photos with faces of some widths, and photos without."""
    states = ["kept" if width >= minimum else "too_small" for width in widths]
    states += ["no_face"] * no_face + ["unreadable"] * unreadable + ["duplicate"] * duplicate
    table = pd.DataFrame({"label": "calm", "state": states, "photo_width": side})
    table["w"] = [*map(float, widths), *[np.nan] * (len(states) - len(widths))]
    return table


def test_where_few_photos_are_dropped_nothing_is_said():
    assert (
        describe_losses(photos([80] * 90 + [30] * 10, no_face=9, unreadable=5, duplicate=5)) == []
    )
    assert describe_losses(photos()) == []


def test_small_faces_are_told_with_a_minimum_that_nearly_all_reach():
    table = photos([40] * 80 + [33] * 19 + [5])
    assert describe_losses(table, 54) == [
        "100 of 100 faces are smaller than 54 pixels; use --min-size 33"
    ]


@pytest.mark.parametrize(
    ("widths", "least"),
    [
        ([50] * 99 + [8], 50),  # one straggler does not count
        ([50] * 95 + [8] * 5, 20),  # a few do not pull it below what is still a face
        ([19] * 100, 19),  # where all are smaller, all stay
        ([0.4] * 100, 1),
    ],
)
def test_the_minimum_is_not_below_twenty_unless_many_faces_are(widths, least):
    (loss,) = find_losses(photos(widths), 54)
    assert loss.least == least


def test_faces_that_fill_their_photos_may_be_crops():
    assert "or --whole-photo if" in describe_losses(photos([40] * 9, side=48), 54)[0]
    assert "whole" not in describe_losses(photos([40] * 9, side=500), 54)[0]
    assert "whole" not in describe_losses(photos([48] * 9, side=48), 54)[0]  # they are already


def test_photos_without_a_face_may_be_faces_themselves():
    assert describe_losses(photos([90] * 80, no_face=120)) == [
        "120 of 200 photos have no face that the detector finds; if each photo is the face "
        "already, use --whole-photo"
    ]


def test_the_reason_of_most_photos_comes_first_and_none_is_left_out():
    table = photos([90] * 10 + [20] * 10, no_face=30, unreadable=20, duplicate=25)
    assert [loss.state for loss in find_losses(table, share=0)] == [
        "no_face",
        "duplicate",
        "unreadable",
        "too_small",
    ]
    assert all(describe_losses(table, share=0))


def test_an_unknown_minimum_is_not_made_up():
    assert describe_losses(photos([40] * 9))[0].startswith("9 of 9 faces are smaller than the min")
