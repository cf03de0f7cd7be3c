"""The model and the limits of one process; its threads share both."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace

from werkzeug.exceptions import ServiceUnavailable

from facecore.errors import ModelError
from facecore.face import Limits
from facecore.model import (
    AnswerRule,
    FaceModel,
    PhotoAnswer,
    find_model,
    load_model,
    order_labels,
    predict_photo,
    read_metadata,
    title_of,
)
from webapp import metrics

BUSY = "The site is busy with other photos; send yours again in a moment."


@dataclass(frozen=True)
class Served:
    """The model that answers, and the words for it.

    Parameters
    ----------
    name : str
        Name of its folder.
    model : FaceModel
        The model itself.
    title : str
        What the model is called on a page.
    labels : tuple of str
        Its labels in the order in which people read them.
    """

    name: str
    model: FaceModel
    title: str
    labels: tuple[str, ...]


class Service:
    """Answers photos, a few at a time.

    Parameters
    ----------
    name : str or None
        Name of the model; None for the default one.
    max_file : int
        Largest photo, in bytes.
    max_pixels : int
        Largest width x height, in pixels.
    decodes : int
        Photos that are analysed at the same time.
    patience : float
        Seconds that a photo waits for its turn.
    unsure : float, optional
        Confidence below which a face gets no label, in [0, 1]; by default the model's own.
    ruled : bool
        Whether the model's rule holds; without it only `unsure` can withhold a label.
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
        ruled: bool = True,
    ) -> None:
        self.limits = Limits(max_file, max_pixels)
        self._patience = patience
        self._turns = threading.BoundedSemaphore(decodes)
        # Each thread that analyses photos has its own detector: these few, not those of requests.
        self._pool = ThreadPoolExecutor(decodes, "photos")
        self._wanted = name
        self._unsure, self._ruled = unsure, ruled
        self._loading = threading.Lock()
        self._loaded: Served | None = None
        with suppress(ModelError):  # /readyz shows the reason, and tries again
            self._load()

    def _load(self) -> Served:
        with self._loading:
            if self._loaded is None:
                name = find_model(self._wanted).name
                model = load_model(name)
                if not self._ruled:
                    model = replace(model, rule=AnswerRule())
                if self._unsure is not None:
                    model = replace(model, rule=replace(model.rule, min_confidence=self._unsure))
                metadata = read_metadata(name)
                labels = order_labels(model.labels, metadata.get("order", ()))
                self._loaded = Served(name, model, title_of(metadata), tuple(labels))
            return self._loaded

    @property
    def loaded(self) -> Served | None:
        """The model that is loaded, with its words; None while there is none."""
        return self._loaded

    @property
    def name(self) -> str | None:
        """Name of the model that is loaded, None while there is none."""
        return self._loaded.name if self._loaded else None

    @property
    def served(self) -> Served:
        """The model with its words, loaded once.

        Raises
        ------
        ServiceUnavailable
            There is no model; the reason says why.
        """
        try:
            return self._load()
        except ModelError as error:
            raise ServiceUnavailable(str(error)) from error

    @property
    def model(self) -> FaceModel:
        """The model, loaded once; raises ServiceUnavailable with the reason while there is none."""
        return self.served.model

    def answer(self, data: bytes, name: str = "") -> PhotoAnswer:
        """Find and classify the faces of a photo when its turn comes.

        Parameters
        ----------
        data : bytes
            The photo as a file: JPEG, PNG or another format of `facecore.images.FORMATS`.
        name : str
            Name of the photo in the answer.

        Returns
        -------
        PhotoAnswer
            With pixels, or with the error of a photo that cannot be used.

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
