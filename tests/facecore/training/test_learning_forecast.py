"""What a learning curve says: the law, its forecast, and the sentences."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import curve_fit

from facecore.training.learning_forecast import (
    describe_curve,
    fit_power_law,
    forecast,
    is_trusted,
    verdict_of,
)

SIZES = np.array([20.0, 28, 40, 57, 80, 113, 160])
COLUMNS = ["kind", "label", "share", "training_faces", "score", "low", "high"]


def table_of(*rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


def test_the_law_is_found_again_from_its_own_points_and_forecasts_them():
    for a, b, c in ((0.05, 0.2, 0.5), (0.0, 0.1, 1.0), (0.2, 0.05, 0.25)):
        errors = a + b * (SIZES[None] / 160) ** -c
        found = forecast(SIZES, errors, 320)
        assert found[0] == pytest.approx(a + b * 2**-c, abs=0.004)


def test_the_law_is_that_of_scipy_where_its_parameters_are_free():
    rng = np.random.default_rng(0)
    errors = 0.1 + 0.15 * (SIZES / 160) ** -0.6 + rng.normal(0, 0.003, len(SIZES))
    theirs, _ = curve_fit(
        lambda n, a, b, c: a + b * (n / 160) ** -c,
        SIZES,
        errors,
        p0=(0.1, 0.1, 0.5),
        sigma=SIZES**-0.5,
        bounds=(0, [1, 1, 2]),
    )
    expected = theirs[0] + theirs[1] * 2 ** -theirs[2]
    assert forecast(SIZES, errors[None], 320)[0] == pytest.approx(expected, abs=0.001)


def test_a_curve_that_does_not_fall_is_forecast_flat():
    errors = np.array([[0.1, 0.12, 0.1, 0.13, 0.12, 0.11, 0.13]])
    a, b, _ = fit_power_law(SIZES, errors)
    assert b[0] == 0
    assert forecast(SIZES, errors, 1600)[0] == pytest.approx(a[0])


def test_neither_part_of_the_law_is_below_zero():
    errors = np.random.default_rng(1).uniform(0, 0.5, (200, len(SIZES)))
    a, b, c = fit_power_law(SIZES, errors)
    assert min(a.min(), b.min()) >= 0
    assert (c > 0).all()


HELPS = (
    ("curve", None, 0.5, 40, 0.82, 0.78, 0.86),
    ("curve", None, 1.0, 80, 0.87, 0.83, 0.9),
    ("gain", None, 0.5, 40, 0.05, 0.02, 0.08),
    ("forecast", None, 2.0, 160, 0.89, 0.86, 0.91),
    ("forecast gain", None, 2.0, 160, 0.02, 0.01, 0.03),
)


def test_a_gain_is_forecast_only_where_the_law_could_forecast_the_present():
    good = table_of(*HELPS, ("check", None, 1.0, 80, 0.86, 0.82, 0.9))
    assert (verdict_of(good), is_trusted(good)) == ("yes", True)
    assert describe_curve(good)[0].startswith(
        "Twice as many photos of every label would likely raise balanced accuracy from .870 to "
        ".890 (.860 to .910): with half of the faces balanced accuracy is .820"
    )
    assert describe_curve(good)[-1].endswith("measured: .870.")
    for more in ((), (("check", None, 1.0, 80, 0.8, 0.78, 0.82),)):
        poor = table_of(*HELPS, *more)
        assert not is_trusted(poor)
        assert describe_curve(poor)[0].startswith("More photos would likely help")
        assert ".890" not in describe_curve(poor)[0]


def test_what_cannot_be_told_is_called_so():
    rows = [row for row in HELPS if row[0] == "curve"]
    table = table_of(*rows, ("gain", None, 0.5, 40, 0.02, -0.01, 0.05))
    assert verdict_of(table) == "unknown"
    assert describe_curve(table)[0].startswith("It cannot be told from these photos")
    assert verdict_of(table_of(*rows)) is None
    assert describe_curve(table_of(*rows)) == []


def test_no_gain_is_said_as_clearly():
    table = table_of(
        ("curve", None, 0.5, 40, 0.99, 0.98, 1),
        ("curve", None, 1.0, 80, 0.99, 0.98, 1),
        ("gain", None, 0.5, 40, -0.0, -0.004, 0.004),
    )
    assert verdict_of(table) == "no"
    assert describe_curve(table)[0].startswith("More photos would not help")
    assert "difference +.000" in describe_curve(table)[0]


def test_labels_follow_with_the_largest_gain_first_whatever_their_text():
    rows = []
    for label, gain in (("*a*", 0.01), ("1", 0.04)):
        rows += [
            ("label", label, 0.5, 40, 0.87 - gain, 0.8, 0.9),
            ("gain", label, 0.5, 40, gain, gain - 0.005, gain + 0.005),
        ]
    lines = describe_curve(table_of(*HELPS, *rows))
    assert lines[1].startswith("More photos of 1 alone would likely help")
    assert "with half of the faces of *a* balanced accuracy is .860" in lines[2]
