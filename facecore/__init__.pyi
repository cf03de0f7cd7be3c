"""Face space: folders of labelled photos go in, an eigenfaces classifier comes out."""

from .data import (
    crop_folder,
)
from .errors import (
    FacecoreError,
)
from .evaluation import (
    evaluate_predictions,
)
from .face import (
    decode,
)
from .model import (
    AnswerRule,
    FaceModel,
    list_models,
    load_model,
    predict_photo,
)
from .training import (
    FaceSpaceClassifier,
    grid_search,
    train,
)

__all__ = [
    "AnswerRule",
    "FaceModel",
    "FaceSpaceClassifier",
    "FacecoreError",
    "crop_folder",
    "decode",
    "evaluate_predictions",
    "grid_search",
    "list_models",
    "load_model",
    "predict_photo",
    "train",
]
__version__: str
