"""Train on fair and on skewed synthetic faces, and see what the skew does to faces and answers."""

from ui.bias_lab import show_bias_lab
from ui.glossary import explain_words, introduce
from ui.models import pick_model
from ui.navigation import enter_page
from ui.photo import say_no_spread
from ui.pixels import need_pixels

enter_page()
introduce(
    "Bias lab",
    "A model knows only the faces that it was shown. Here two models are trained in a moment on "
    "synthetic faces: one on a fair choice, one on a skewed one. Then both are tried on the same "
    "new faces.",
)
chosen = pick_model()
need_pixels(chosen)
if chosen.model.spread is None:
    say_no_spread()
else:
    show_bias_lab(chosen)
    explain_words(
        "bias", "synthetic face", "mean face", "eigenface", "recall", "confidence interval"
    )
