"""Face space: folders of labelled photos go in, an eigenfaces classifier comes out."""

from importlib import import_module
from typing import Any

_HOMES = {
    "AnswerRule": "rule",
    "FaceModel": "model",
    "FaceSpaceClassifier": "estimator",
    "FacecoreError": "errors",
    "crop_folder": "crops",
    "decode": "images",
    "grid_search": "search",
    "list_models": "artifacts",
    "load_model": "artifacts",
    "predict_photo": "predict",
    "report": "evaluate",
    "train": "train",
}

__all__ = list(_HOMES)
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Importing facecore stays cheap: scikit-learn and OpenCV load with what needs them.
    if name not in _HOMES:
        raise AttributeError(f"module 'facecore' has no attribute {name!r}")
    return getattr(import_module(f"facecore.{_HOMES[name]}"), name)
