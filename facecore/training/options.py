"""How a training runs: its seed, worker processes, solver and size."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from facecore.errors import DataError

LESS = "a smaller --grid, or --solver nystroem"  # than what needs too much memory
LANDMARKS = 4000
MEMORY_MB = 4000.0
SOLVERS = ("auto", "exact", "nystroem")
MAX_SEED = 2**32 - 1  # the largest that scikit-learn takes


@dataclass(frozen=True)
class TrainingOptions:
    """Options that every step of a training shares.

    Parameters
    ----------
    seed : int, default=0
        Seed of everything random, in [0, 2**32 - 1]. The same data and seed give the same model.
    jobs : int, default=1
        Worker processes: 1 or more, or -1 for one per core. The result does not depend on it.
    progress : bool, default=False
        Show progress bars on standard error.
    centres : int, default=0
        Put each machine on about this many cluster centres, fewer where there are few faces, so
        that no kernel vector can be traced to one photo; 0: on support vectors or landmarks.
    landmarks : int, default=4000
        Number of faces that the Nystroem method uses as landmarks, 1 or more. More of them come
        closer to the exact machine; time and memory grow with their square.
    solver : {"auto", "exact", "nystroem"}, default="auto"
        ``"exact"``: a support vector machine on all training faces; ``"nystroem"``: a machine on
        landmarks, for more faces than fit in memory; ``"auto"``: chosen by the number of faces.
    title : str, default=""
        What the model is called on pages, such as ``"Expression"``; its labels where empty.
    order : tuple of str, default=()
        The labels in their order, such as age bands, where they have one.
    identity : bool, optional
        Whether each label is one person. Photos of a person are then in several folds, and a face
        that is unlike every label is answered "unknown". None: it is so if the data set names one
        subject per label.
    right : float, optional
        Share of the answers that shall be right, in (0, 1]: "unsure" is chosen for it. None: the
        recipe's own, or the highest that leaves most faces an answer.
    rule : bool, default=True
        Choose a rule by which faces get no label; without it every face gets one.
    max_distance : float, optional
        Distance from face space beyond which a face is "not a face", above 0, in place of one
        that is chosen on the training faces.
    simplest : bool, default=False
        Of the candidates of a search take the simplest within one standard error of the best, as
        `facecore.training.simplest_within_one_error` finds it, in place of the best.
    memory_mb : float, default=4000.0
        Bound on the matrices of a grid search in MB, above 0, for all its workers together: fewer
        workers run, and distances are computed again, where they would not fit. The result does
        not depend on it.

    Raises
    ------
    DataError
        A value is of another type or out of its range.

    Examples
    --------
    >>> TrainingOptions(seed=3).jobs
    1
    >>> TrainingOptions(jobs=0)
    Traceback (most recent call last):
        ...
    facecore.errors.DataError: jobs must be 1 or more, or -1 for one per core; it is 0
    """

    seed: int = 0
    jobs: int = 1
    progress: bool = False
    centres: int = 0
    landmarks: int = LANDMARKS
    solver: str = "auto"
    title: str = ""
    order: tuple[str, ...] = ()
    identity: bool | None = None
    right: float | None = None
    rule: bool = True
    max_distance: float | None = None
    simplest: bool = False
    memory_mb: float = MEMORY_MB

    def __post_init__(self) -> None:
        rules = {
            "seed": (_is_whole(self.seed, 0, MAX_SEED), f"an integer in [0, {MAX_SEED}]"),
            "jobs": (
                _is_whole(self.jobs, 1) or _is_whole(self.jobs, -1, -1),
                "1 or more, or -1 for one per core",
            ),
            "progress": (isinstance(self.progress, bool), "True or False"),
            "centres": (_is_whole(self.centres, 0), "an integer, 0 or more"),
            "landmarks": (_is_whole(self.landmarks, 1), "an integer, 1 or more"),
            "solver": (self.solver in SOLVERS, f"one of {', '.join(SOLVERS)}"),
            "title": (isinstance(self.title, str), "a string"),
            "order": (
                isinstance(self.order, tuple) and len(set(self.order)) == len(self.order),
                "a tuple of different labels",
            ),
            "identity": (self.identity in (None, True, False), "True, False or None"),
            "right": (
                self.right is None or (is_number(self.right) and 0 < self.right <= 1),
                "a number above 0, up to 1",
            ),
            "rule": (isinstance(self.rule, bool), "True or False"),
            "max_distance": (
                self.max_distance is None
                or (is_number(self.max_distance) and self.max_distance > 0),
                "a number above 0",
            ),
            "simplest": (isinstance(self.simplest, bool), "True or False"),
            "memory_mb": (
                is_number(self.memory_mb) and 0 < self.memory_mb < float("inf"),
                "a number above 0",
            ),
        }
        for name, (good, expected) in rules.items():
            if not good:
                raise DataError(f"{name} must be {expected}; it is {getattr(self, name)!r}")


def is_number(value: Any) -> bool:
    """Return whether a value is a real number; True and False are not.

    Parameters
    ----------
    value : object
        Any value.

    Returns
    -------
    bool
        True for int, float and NumPy's numbers, also for NaN and infinity.
    """
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_whole(value: object, least: int, most: float = float("inf")) -> bool:
    return (
        isinstance(value, Integral) and not isinstance(value, bool) and least <= int(value) <= most
    )


DEFAULT_OPTIONS = TrainingOptions()
