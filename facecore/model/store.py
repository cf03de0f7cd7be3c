"""Read and write the folder of models: arrays, metadata and tables, with checksums."""

import hashlib
import io
import json
import os
import re
import secrets
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platformdirs import user_data_path

from facecore.errors import DataError, ModelError, ModelWarning
from facecore.face.recipes import Recipe, lacks
from facecore.model.classifier import FaceModel
from facecore.system.files import rename, sha256, try_folder, write_atomically, write_json
from facecore.system.holds import holding
from facecore.system.paths import RESERVED, expand_home, file_key, is_hidden
from facecore.system.text import TRAIT

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
DEFAULT_MODEL = "aligned"
SHIPPED = ("aligned", "classic", "embedding")
CORE = ("model.json", "model.npz")  # without these there is no model
TEXT_FILES = (".csv", ".json", ".md")
TABLES = ("sizes", "grid_search", "predictions", "coordinates", "learning_curve")
LOCAL = "local"  # folder in a model's folder: what names its user's photos; no download has it
LOCAL_NOTE = """\
These tables name photos that the model was trained on and tested on, for the page Check photos of
the dashboard on this computer. They are no part of the model: its download leaves them out. Delete
this folder before you give the folder of the model away.
"""
# Columns of the tables that stay strings, whatever they look like.
TEXTS = ("set", "label", "person", "predicted", "split", "state", "age", "race", "error")
NEW, OLD = ".new-", ".old-"  # prefixes of folders that are being written, and replaced
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def artifacts_dir() -> Path:
    """Return the folder of models.

    It is the environment variable ``FACECORE_ARTIFACTS``, or else ``artifacts`` in the checkout, or
    else, of an installed library, ``artifacts`` in the folder that the system gives each user for
    data of ``facecore``.

    Returns
    -------
    Path
        The folder, which may not exist yet. New models are written to it.
    """
    if chosen := os.environ.get("FACECORE_ARTIFACTS"):
        return Path(expand_home(chosen))
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").is_file():
        return checkout / "artifacts"
    return user_data_path("facecore", appauthor=False) / "artifacts"


def artifact_folders() -> list[Path]:
    """Return the folders that models are read from.

    Returns
    -------
    list of Path
        `artifacts_dir`, and after it the folder of the models that an installed library carries.
        ``FACECORE_ARTIFACTS`` names the only one.

    Examples
    --------
    >>> artifact_folders()[0] == artifacts_dir()
    True
    """
    own, carried = artifacts_dir(), Path(__file__).resolve().parents[1] / "_artifacts"
    alone = os.environ.get("FACECORE_ARTIFACTS") or not carried.is_dir()
    return [own] if alone else [own, carried]


def list_models() -> list[str]:
    """Return the names of the stored models.

    Returns
    -------
    list of str
        The default model first, the others by name; empty where there is no model.

    Examples
    --------
    >>> "classic" in list_models()
    True
    """
    return list(_folders())


def _folders() -> dict[str, Path]:
    folders = {}
    for root in artifact_folders():
        # A training killed between its two renames leaves the old model under its second name.
        for prefix in (OLD, ""):
            for path in root.glob(f"{prefix}*/metadata.json"):
                name = path.parent.name.removeprefix(prefix)
                if NAME.fullmatch(name):
                    folders[name] = path.parent
    return dict(sorted(folders.items(), key=lambda item: (item[0] != DEFAULT_MODEL, item[0])))


def find_model(name: str | None = None) -> Path:
    """Return the folder of a model.

    Parameters
    ----------
    name : str, optional
        The model's name; the default model, or else the first, when left out.

    Returns
    -------
    Path
        The model's folder, whose content is not checked.

    Raises
    ------
    ModelError
        There is no model of that name, or none at all.

    Examples
    --------
    >>> find_model("classic").name
    'classic'
    """
    folders = _folders()
    if not folders:
        raise ModelError(
            f"no model in {artifacts_dir()}; train one with: "
            "python -m facecore train DIR --name NAME"
        )
    if name is not None and name not in folders:
        raise ModelError(f"no model {name!r} in artifacts/; there are: {', '.join(folders)}")
    return folders[name] if name is not None else next(iter(folders.values()))


def lacks_of(name: str) -> str | None:
    """Return which requirement of a model is not installed, and the command that helps.

    Parameters
    ----------
    name : str
        The model's name.

    Returns
    -------
    str or None
        None where nothing is missing, or where the model cannot be read.

    Examples
    --------
    >>> lacks_of("classic") is None
    True
    """
    try:
        return lacks(read_recipe(name))
    except ModelError:
        return None


def read_recipe(name: str | None = None) -> Recipe:
    """Read the recipe of a model, without its arrays and without checking its files.

    Parameters
    ----------
    name : str, optional
        The model's name; the default model, or else the first, when left out.

    Returns
    -------
    Recipe
        Without members.

    Raises
    ------
    ModelError
        The model is missing, or its recipe cannot be read.

    Examples
    --------
    >>> read_recipe("classic").name
    'classic'
    """
    folder = find_model(name)
    try:
        document = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        return Recipe.from_dict(document["recipe"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise ModelError(
            f"the recipe of model {folder.name!r} cannot be read: {error}; restore the folder or "
            "train it again"
        ) from error


def load_model(name: str | None = None) -> FaceModel:
    """Load a model by name.

    Parameters
    ----------
    name : str, optional
        The model's name; the default model, or else the first, when left out.

    Returns
    -------
    FaceModel
        The model, after checking its files against their checksums.

    Raises
    ------
    ModelError
        The model is missing, damaged, foreign or of a newer format, or needs weights that are not
        installed.

    Examples
    --------
    >>> model = load_model("classic")
    >>> model.labels, model.recipe.side
    (('female', 'male'), 100)
    """
    read_metadata(name)
    return FaceModel.load(find_model(name))


def read_metadata(name: str | None = None) -> dict[str, Any]:
    """Read how a model was trained, after checking its files against their checksums.

    Parameters
    ----------
    name : str, optional
        The model's name; the default model, or else the first, when left out.

    Returns
    -------
    dict
        The content of ``metadata.json``: format, checksums, data, settings and versions.

    Raises
    ------
    ModelError
        The model is missing or of a newer format, or its arrays or ``model.json`` are missing or
        changed.

    Warns
    -----
    ModelWarning
        A paper (card, table, evaluation) is missing or changed. Files that a system added are
        ignored.
    """
    folder = find_model(name)
    metadata, faults = _check(folder)
    for fault in faults:
        _warn_of(folder, fault)
    return metadata


def _check(folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Return the metadata of a model, and what is wrong with its papers."""
    faults = []
    try:
        metadata = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
        version = metadata["format"]
        if version != FORMAT:
            raise ModelError(
                f"model {folder.name!r} has format {version!r}, this version reads {FORMAT}; "
                "pip install --upgrade facecore, or train it again"
            )
        for file, expected in _sums_of(metadata).items():
            if fault := _fault_of(folder / file, expected):
                if file in CORE:
                    raise ValueError(fault)
                faults.append(fault)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(
            f"model {folder.name!r} is damaged: {error}; restore the folder or train it again"
        ) from error
    return dict(metadata), faults


def read_evaluation(name: str | None = None) -> dict[str, Any] | None:
    """Read the stored evaluation of a model.

    Parameters
    ----------
    name : str, optional
        The model's name; the default model, or else the first, when left out.

    Returns
    -------
    dict or None
        What `facecore.evaluation.evaluate_predictions` returned, by name of the data set; None
        where the model was not evaluated.

    Raises
    ------
    ModelError
        The model is missing or its metadata are damaged.

    Warns
    -----
    ModelWarning
        The evaluation is missing or changed.
    """
    folder = find_model(name)
    text, fault = _read_paper(folder / "evaluation.json")
    evaluation, unreadable = _parse_evaluation(text)
    if fault := fault or unreadable:
        _warn_of(folder, fault)
    return evaluation


def _parse_evaluation(text: str | None) -> tuple[dict[str, Any] | None, str | None]:
    """Return an evaluation, or why it cannot be read, as its writer stored it."""
    try:
        return (None if text is None else dict(json.loads(text))), None
    except (ValueError, TypeError, RecursionError) as error:
        return None, f"evaluation.json cannot be read ({error})"


def read_model_table(table: str, name: str | None = None) -> "pd.DataFrame | None":
    """Read one of a model's tables.

    Parameters
    ----------
    table : str
        One of `TABLES`.
    name : str, optional
        The model's name; the default model, or else the first, when left out.

    Returns
    -------
    DataFrame or None
        The table; None where the model has no such table.

    Raises
    ------
    ModelError
        The model is missing or its metadata are damaged.

    Warns
    -----
    ModelWarning
        The table is missing or changed.
    """
    import pandas as pd  # the upload site reads models without tables, and without pandas

    path = find_model(name) / f"{table}.csv"
    text, fault = _read_paper(path)
    if fault:
        _warn_of(path.parent, fault)
    if text is None:
        return None
    # A label such as 1 stays a string; missing numbers and strings are NaN.
    texts = dict.fromkeys(TEXTS, "str")
    try:
        columns = pd.read_csv(io.StringIO(text), nrows=0).columns
        texts |= {name: "str" for name in columns if name.startswith(TRAIT)}
        return pd.read_csv(io.StringIO(text), dtype=texts, keep_default_na=False, na_values=[""])
    except ValueError as error:  # as its writer stored it
        _warn_of(path.parent, f"{path.name} cannot be read ({error})")
        return None


def read_local_table(table: str, name: str | None = None) -> "pd.DataFrame | None":
    """Read one of the tables of a model that name its user's photos.

    Parameters
    ----------
    table : str
        Such as ``"photos"``.
    name : str, optional
        The model's name; the default model, or else the first, when left out.

    Returns
    -------
    DataFrame or None
        As `write_model` got it, with texts where a column is not one of numbers; None where the
        model has no such table, as those that are safe to share.

    Raises
    ------
    ModelError
        There is no such model, or the table cannot be read.
    """
    import pandas as pd  # the upload site reads models without tables, and without pandas

    path = find_model(name) / LOCAL / f"{table}.csv"
    if not path.is_file():
        return None
    texts = dict.fromkeys((*TEXTS, "source", "path", "answer", "near"), "str")
    try:
        found = pd.read_csv(path, dtype=texts, keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot read {path}: {error}; train the model again") from error
    known = [column for column in texts if column in found]
    return found.fillna(dict.fromkeys(known, ""))


def read_card(name: str | None = None) -> str | None:
    """Read the card that a model was stored with.

    Parameters
    ----------
    name : str, optional
        The model's name; the default model, or else the first, when left out.

    Returns
    -------
    str or None
        Markdown; None where the model was stored without a card.

    Raises
    ------
    ModelError
        The model is missing or its metadata are damaged.

    Warns
    -----
    ModelWarning
        The card is missing or changed.
    """
    folder = find_model(name)
    text, fault = _read_paper(folder / "card.md")
    if fault:
        _warn_of(folder, fault)
    return text


def damaged_papers(name: str | None = None) -> list[str]:
    """Return which papers of a model are missing or changed, or cannot be read.

    Papers are its card, its tables and its evaluation.

    Parameters
    ----------
    name : str, optional
        The model's name; the default model, or else the first, when left out.

    Returns
    -------
    list of str
        What is wrong, one line per paper; empty where all are well. Of tables that are as they
        were written, it is not tried whether they can be read.

    Raises
    ------
    ModelError
        As `read_metadata` raises it.

    Examples
    --------
    >>> damaged_papers("classic")
    []
    """
    # Without the warnings of Python, whose filters are those of all threads of a site.
    folder = find_model(name)
    _, faults = _check(folder)
    _, unreadable = _parse_evaluation(_read_paper(folder / "evaluation.json")[0])
    return [_describe(folder, fault) for fault in [*faults, *filter(None, [unreadable])]]


def _sums_of(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Return the checksums of a model's files, by name."""
    sums = dict(metadata["sha256"])
    if not set(CORE) <= set(sums):
        raise ValueError("metadata.json does not list the model's files")
    for file in sums:
        if Path(file).name != file:
            raise ValueError(f"{file} is not the name of a file")
    return sums


def _fault_of(path: Path, expected: str | None) -> str | None:
    """Return what is wrong with a file of a model by its checksum; None where nothing is."""
    if not path.is_file():
        return f"{path.name} is missing"
    fits = any(expected == found for found in _checksums(path))
    return None if fits else f"{path.name} does not match its checksum"


def _checksum(path: Path) -> str:
    """Return the SHA-256 of a file; of a text with line ends as this library writes them."""
    return next(_checksums(path))


def _checksums(path: Path) -> Iterator[str]:
    """Yield the SHA-256 of a file; of a text, those with the line ends of all systems, too.

    A checkout may have turned line ends into those of its system, before or after the checksum was
    made.
    """
    if path.suffix in TEXT_FILES:
        plain = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        for ends in (b"\n", b"\r\n"):
            yield hashlib.sha256(plain.replace(b"\n", ends)).hexdigest()
    yield sha256(path)


def _describe(folder: Path, fault: str) -> str:
    return f"model {folder.name!r}: {fault}; it is left out, restore it or train the model again"


def _warn_of(folder: Path, fault: str) -> None:
    warnings.warn(_describe(folder, fault), ModelWarning, stacklevel=3)


def _read_paper(path: Path) -> tuple[str | None, str | None]:
    """Return the text of a model's paper, None where it was stored without, and what is wrong."""
    try:
        text = (path.parent / "metadata.json").read_text(encoding="utf-8")
        expected = _sums_of(json.loads(text)).get(path.name)
        if expected is None:  # what somebody put beside a model is not its own
            return None, None
        if fault := _fault_of(path, expected):
            return None, fault
        return path.read_text(encoding="utf-8"), None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"model {path.parent.name!r} is damaged: {error}") from error


def check_name(name: str) -> str:
    """Return a model's name if it can name a folder on every system.

    Parameters
    ----------
    name : str
        The name to check.

    Returns
    -------
    str
        The same name.

    Raises
    ------
    ModelError
        The name is too long, has other characters than letters, digits, - and _, or is that of a
        device on Windows.

    Examples
    --------
    >>> check_name("my-model_2")
    'my-model_2'
    """
    if not NAME.fullmatch(name):
        raise ModelError(
            f"{name!r} cannot name a model; use 1 to 64 letters, digits, - and _, "
            "starting with a letter or digit"
        )
    if name.upper() in RESERVED:
        raise ModelError(f"{name!r} is a device on Windows and cannot name a model; choose another")
    return name


def check_new_name(name: str) -> str:
    """Return a model's name if a new model can have it, or an old one of that name be replaced.

    Parameters
    ----------
    name : str
        The name to check.

    Returns
    -------
    str
        The same name.

    Raises
    ------
    ModelError
        As `check_name` raises it; or the name differs from that of a stored or shipped model only
        in capitals, or is that of a folder that is not a model.

    Examples
    --------
    >>> check_new_name("my-model_2")
    'my-model_2'
    """
    root = artifacts_dir()
    others = {*SHIPPED, *_folders(), *(path.name for path in root.glob("*"))} - {check_name(name)}
    for other in sorted(others):
        if file_key(other) == file_key(name):
            raise ModelError(
                f"the name {name!r} differs from {other!r} only in capitals, and both would be one "
                "folder on Windows and macOS; choose another name"
            )
    if _is_foreign(root / name):
        raise ModelError(f"{root / name} is a folder, but not of a model; choose another name")
    return name


def _is_foreign(folder: Path) -> bool:
    """Return whether a folder holds something, but nothing of a model."""
    held = {path.name for path in folder.glob("*")}
    return bool(held) and not held & {*CORE, "metadata.json"}


def _refuse_taken(name: str, replace: bool) -> None:
    """Refuse the name of a stored model, also of a damaged one, unless it may be replaced."""
    if name in _folders():
        refuse_shipped(name)
    if not replace and (name in _folders() or (artifacts_dir() / name).is_dir()):
        raise ModelError(
            f"there is a model {name!r} already; replace it with --replace (replace=True in "
            "Python), or choose another name"
        )


@contextmanager
def reserving(name: str, replace: bool = False) -> Iterator[None]:
    """Keep a model's name from other trainings while the block runs.

    Parameters
    ----------
    name : str
        Name of the model that the block writes.
    replace : bool
        Whether a model of that name may be replaced; one that ships with facecore never.

    Yields
    ------
    None
        While this process alone trains a model of that name.

    Raises
    ------
    ModelError
        The name is not allowed or taken, or a model could not be written under it.
    DataError
        Another process trains a model of that name, in whatever capitals.
    """
    root = artifacts_dir()
    target = root / check_new_name(name)
    try:
        try_folder(root)
        if target.exists() and not target.is_dir():
            raise DataError(f"{target} is not a folder")
    except DataError as error:
        raise ModelError(
            f"no model can be written to {root}: {error}; choose another folder of models with "
            "FACECORE_ARTIFACTS=FOLDER"
        ) from error
    busy = f"another training of {name!r} runs; wait until it ends, or choose another name"
    made = not root.exists()
    root.mkdir(parents=True, exist_ok=True)
    try:
        with holding(root / f".lock-{file_key(name)}", busy):
            _refuse_taken(name, replace)
            yield
    finally:
        if made:
            with suppress(OSError):  # there is a model in it
                root.rmdir()


def write_model(
    name: str,
    model: FaceModel,
    metadata: Mapping[str, Any],
    tables: "Mapping[str, pd.DataFrame]",
    evaluation: Mapping[str, Any] | None = None,
    card: str | None = None,
    *,
    local: "Mapping[str, pd.DataFrame] | None" = None,
) -> Path:
    """Write a model under a temporary name and rename it, so that readers never see half of one.

    Parameters
    ----------
    name : str
        The model's name; an existing model of that name is replaced (see `reserving`).
    model : FaceModel
        The trained model.
    metadata : mapping of str to object
        How the model was trained, JSON types only; format and checksums are added.
    tables : mapping of str to DataFrame
        Tables by name, out of `TABLES`.
    evaluation : mapping of str to object, optional
        The evaluation by name of the data set, JSON types only.
    card : str, optional
        The model card in Markdown, as `facecore.evaluation.card.write_card` returns it.
    local : mapping of str to DataFrame, optional
        Tables by name that may name photos. They stand in the folder ``local``, have no checksum,
        and are left out by `pack_model`; renaming and deleting the model takes them along.

    Returns
    -------
    Path
        The model's folder.

    Raises
    ------
    ModelError
        The name is not allowed, or the folder cannot be written. The model is then kept in another
        folder, which the message names.
    """

    def write(work: Path) -> None:
        model.save(work)
        for key, table in tables.items():
            table.to_csv(work / f"{key}.csv", index=False, lineterminator="\n")
        if evaluation is not None:
            write_json(work / "evaluation.json", evaluation)
        if card is not None:
            write_atomically(work / "card.md", card)
        sums = {path.name: _checksum(path) for path in sorted(work.iterdir())}
        write_json(work / "metadata.json", {"format": FORMAT, **metadata, "sha256": sums})
        if local:
            (work / LOCAL).mkdir()
            write_atomically(work / LOCAL / "README.txt", LOCAL_NOTE)
            for key, table in local.items():
                table.to_csv(work / LOCAL / f"{key}.csv", index=False, lineterminator="\n")

    target = artifacts_dir() / check_new_name(name)
    try:
        with _replacing(name) as work:
            write(work)
    except ModelError as error:
        raise ModelError(f"{error}; {_keep(target, write)}") from error
    return target


def _keep(target: Path, write: Callable[[Path], None]) -> str:
    """Write a model where there is a place for it, and return what its user can do."""
    for place in (tempfile.gettempdir, Path.cwd):
        kept = None
        try:
            kept = Path(tempfile.mkdtemp(prefix="facecore-model-", dir=place()))
            (kept / target.name).mkdir()
            write(kept / target.name)
        except OSError:
            if kept is not None:
                shutil.rmtree(kept, ignore_errors=True)
            continue
        return f"it is kept: move the folder {kept / target.name} to {target}"
    return "no other folder takes it either"


def store_card(name: str, card: str) -> Path:
    """Store a card with a model, in place of the card that it has.

    Parameters
    ----------
    name : str
        The model's name.
    card : str
        Markdown, as `facecore.evaluation.card.write_card` returns it.

    Returns
    -------
    Path
        The model's folder.

    Raises
    ------
    ModelError
        The model is missing or damaged, or its folder cannot be written.
    """
    if find_model(name).parent != artifacts_dir():
        refuse_shipped(name)
    return _store_paper(name, "card.md", card)


def store_table(name: str, table: str, rows: "pd.DataFrame") -> Path:
    """Store a table with a model, in place of the table of this name that it has.

    Parameters
    ----------
    name : str
        The model's name; not one that ships with facecore.
    table : str
        One of `TABLES`.
    rows : DataFrame
        From which no photo of a model that is shared can be traced.

    Returns
    -------
    Path
        The model's folder.

    Raises
    ------
    ModelError
        The model is missing or damaged or ships with facecore, or its folder cannot be written.
    """
    refuse_shipped(name)
    return _store_paper(name, f"{table}.csv", rows.to_csv(index=False, lineterminator="\n"))


def _store_paper(name: str, file: str, text: str) -> Path:
    metadata, folder = read_metadata(name), find_model(name)
    with _replacing(name) as work:
        _copy(folder, work)
        write_atomically(work / file, text)
        sums = metadata["sha256"] | {file: _checksum(work / file)}
        write_json(work / "metadata.json", metadata | {"sha256": dict(sorted(sums.items()))})
    return artifacts_dir() / name


@contextmanager
def _replacing(name: str) -> Iterator[Path]:
    """Yield an empty folder that replaces the model's when the block ends without an error."""
    root = artifacts_dir()
    target = root / name
    work = None
    try:
        root.mkdir(parents=True, exist_ok=True)
        _recover(root, name)
        work = _new_folder(root, name)
        yield work
        old = root / f"{OLD}{name}"
        # Two renames, since a folder that is not empty cannot be replaced; `_folders` finds the old
        # model if the process is killed between them.
        if target.exists():
            rename(target, old)
        try:
            rename(work, target)
        except OSError:
            if old.exists():
                rename(old, target)
            raise
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise ModelError(
            f"cannot write the model to {target}: {error.strerror or error}"
        ) from error
    finally:
        if work is not None:
            shutil.rmtree(work, ignore_errors=True)


def rename_model(old: str, new: str) -> Path:
    """Rename a model; readers find a whole one under at least one of the names at any moment.

    Parameters
    ----------
    old, new : str
        The model's name, and the name that it gets.

    Returns
    -------
    Path
        The model's new folder.

    Raises
    ------
    ModelError
        The model is missing or damaged, one of the names belongs to a shipped model, the new name
        is taken or not allowed, or differs from that of a model only in capitals, or the folder
        cannot be written.
    DataError
        A training of the new name runs.
    """
    root = artifacts_dir()
    for name in (old, check_name(new)):
        refuse_shipped(name)
    if new in _folders() or (root / new).exists():
        raise ModelError(f"there is a model {new!r} already; choose another name")
    metadata = read_metadata(old)
    work = None
    with reserving(new):
        try:
            _recover(root, old)
            work = _new_folder(root, new)
            _copy(root / old, work)
            write_json(work / "metadata.json", metadata | {"name": new})
            rename(work, root / new)
            _remove(root / old)
        except OSError as error:
            raise ModelError(f"cannot rename model {old!r}: {error.strerror or error}") from error
        finally:
            if work is not None:
                shutil.rmtree(work, ignore_errors=True)
    return root / new


def delete_model(name: str) -> None:
    """Delete a model, also a damaged one.

    Parameters
    ----------
    name : str
        The model's name.

    Raises
    ------
    ModelError
        The model ships with facecore, is missing, or cannot be removed.
    """
    refuse_shipped(name)
    root = find_model(name).parent
    try:
        _recover(root, name)
        _remove(root / name)
    except OSError as error:
        raise ModelError(f"cannot delete model {name!r}: {error.strerror or error}") from error


def pack_model(name: str) -> bytes:
    """Pack a model's folder as a ZIP file, the same bytes for the same model.

    Parameters
    ----------
    name : str
        The model's name.

    Returns
    -------
    bytes
        A ZIP file with the folder ``NAME/``, to be unpacked in a folder of models.

    Raises
    ------
    ModelError
        The model is missing or damaged.
    """
    sums = read_metadata(name)["sha256"]
    folder, buffer = find_model(name), io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted({*sums, "metadata.json"}):
            entry = zipfile.ZipInfo(f"{name}/{file}")  # its date is always the same
            entry.external_attr = 0o644 << 16
            try:
                data = (folder / file).read_bytes()
            except OSError as error:
                raise ModelError(f"cannot read {file} of model {name!r}") from error
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def refuse_shipped(name: str) -> None:
    """Refuse to change a model that ships with facecore.

    Parameters
    ----------
    name : str
        The model's name.

    Raises
    ------
    ModelError
        The name is one of `SHIPPED`.
    """
    if name in SHIPPED:
        raise ModelError(
            f"model {name!r} ships with facecore and stays as it is; train one of another name"
        )


def _new_folder(root: Path, name: str) -> Path:
    """Make a folder for a model that is being written; its permissions follow the umask."""
    folder = root / f"{NEW}{name}-{secrets.token_hex(4)}"
    folder.mkdir()
    return folder


def _copy(source: Path, target: Path) -> None:
    """Copy what a folder holds, but neither what a system added nor permissions and times.

    Some disks do not store these.
    """
    for path in sorted(source.rglob("*")):
        place = path.relative_to(source)
        if any(map(is_hidden, place.parts)):
            continue
        copy = target / place
        if path.is_dir():
            copy.mkdir()
        else:
            shutil.copyfile(path, copy)


def _remove(folder: Path) -> None:
    """Remove a model: first by one rename, which readers see at once, then file by file."""
    litter = _new_folder(folder.parent, folder.name)
    rename(folder, litter / "old")
    shutil.rmtree(litter, ignore_errors=True)


def _recover(root: Path, name: str) -> None:
    """Clear up after a killed `write_model`: put the old model back, remove half-written ones."""
    old, target = root / f"{OLD}{name}", root / name
    if old.exists() and not target.exists():
        rename(old, target)
    shutil.rmtree(old, ignore_errors=True)
    for litter in root.glob(f"{NEW}{name}-????????"):
        shutil.rmtree(litter, ignore_errors=True)
