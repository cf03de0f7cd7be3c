"""The only form of the site."""

from flask_wtf import FlaskForm
from flask_wtf.file import FileRequired, MultipleFileField


class PhotoForm(FlaskForm):
    """Photos to analyse."""

    photo = MultipleFileField("Photos", [FileRequired("No photo was chosen; choose at least one.")])
