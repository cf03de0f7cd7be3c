"""The model and the limits of one process; its threads share both."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

from werkzeug.exceptions import ServiceUnavailable

from facecore.errors import ModelError
from facecore.face import Limits
from facecore.model import FaceModel, PhotoAnswer, find_model, load_model, predict_photo
from webapp import metrics

BUSY = "The site is busy with other photos; send it again in a moment."


class Service:
    """Answers photos, a few at a time.

    Parameters
    ----------
    name : str or None
        The model; the default one when left out.
    max_file : int
        Largest photo, in bytes.
    max_pixels : int
        Largest width x height.
    decodes : int
        Photos that are worked on at the same time.
    patience : float
        Seconds that a request waits for its turn.
    unsure : float, optional
        Confidence below which no label is given, in [0, 1]; the model's own when left out.
    """

    def __init__(
        self,
        name: str | None,
        *,
        max_file: int,
        max_pixels: int,
        decodes: int,
        patience: float,
        unsure: float | None = None,
    ) -> None:
        self.limits = Limits(max_file, max_pixels)
        self._patience = patience
        self._turns = threading.BoundedSemaphore(decodes)
        # Each thread that sees photos has a detector of its own: these few, not those of requests.
        self._pool = ThreadPoolExecutor(decodes, "photos")
        self._wanted = name
        self._unsure = unsure
        self._loading = threading.Lock()
        self._loaded: tuple[str, FaceModel] | None = None
        with suppress(ModelError):  # /readyz says why, and tries again
            self._load()

    def _load(self) -> tuple[str, FaceModel]:
        with self._loading:
            if self._loaded is None:
                name = find_model(self._wanted).name
                model = load_model(name)
                if self._unsure is not None:
                    model = replace(model, rule=replace(model.rule, min_confidence=self._unsure))
                self._loaded = name, model
            return self._loaded

    @property
    def name(self) -> str | None:
        """Name of the model, None while there is none."""
        return self._loaded[0] if self._loaded else None

    @property
    def model(self) -> FaceModel:
        """The model, loaded once; ServiceUnavailable is raised while there is none."""
        try:
            return self._load()[1]
        except ModelError as error:
            raise ServiceUnavailable(str(error)) from error

    def answer(self, data: bytes, name: str = "") -> PhotoAnswer:
        """Find and classify the faces of a photo when its turn comes.

        Parameters
        ----------
        data : bytes
        name : str
            What the answer calls the photo.

        Returns
        -------
        PhotoAnswer

        Raises
        ------
        ServiceUnavailable
            There is no model, or too many photos came before.
        """
        model = self.model
        if not self._turns.acquire(timeout=self._patience):
            metrics.REJECTED.labels("busy").inc()
            raise ServiceUnavailable(BUSY, retry_after=5)
        try:
            seen = self._pool.submit(predict_photo, data, model, name=name, limits=self.limits)
            answer = seen.result()
        finally:
            self._turns.release()
        metrics.count(answer)
        return answer
