"""The command line: from labelled photos to a model, its answers, and the two apps."""

import argparse
import io
import json
import os
import shlex
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from facecore.errors import DataError, FacecoreError, ModelError, ModelWarning
from facecore.system.paths import expand_home, expand_one, expand_patterns
from facecore.system.text import describe_seconds, show_hidden
from facecore.system.workers import within_memory

if TYPE_CHECKING:
    from facecore.model.answers import FaceAnswer

FEW = 64  # photos that one process answers sooner than others start
INTERRUPT, END = 130, 143  # exit codes of a shell: 128 and the number of the signal
AGAIN = "the same command begins again"
AS_MODULE = "python -m facecore"
HINTS = {"too_large": "; --max-megapixels and --max-mb raise the limits"}
LIKE_PERSONS = 0.8  # area under the curve; labels that are no persons are rarely told so well


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        The process's own by default.

    Returns
    -------
    int
        Exit code: 0 when all went well, 1 on an error (one line on standard error) or when a
        photo could not be read, 130 after Ctrl-C and 143 when the process was told to end.
    """
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name may be no text at all
    try:
        with _ended_like_interrupted(), warnings.catch_warnings():
            warnings.simplefilter("always", ModelWarning)
            warnings.showwarning = _show_once()
            with within_memory():
                return _run(options)
    except FacecoreError as error:
        line = show_hidden(str(error).strip()).replace(AS_MODULE, _program())
        print(f"error: {line}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as stop:
        print(f"stopped; {options.stopped}", file=sys.stderr)
        return END if isinstance(stop, _Ended) else INTERRUPT
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # such as a disk that is full or gone
        place = f"{error.filename}: " if error.filename else ""
        print(f"error: {place}{error.strerror or error}", file=sys.stderr)
        return 1


class _Ended(KeyboardInterrupt):
    """The process was told to end (SIGTERM), and cleans up as after Ctrl-C."""


@contextmanager
def _ended_like_interrupted() -> Iterator[None]:
    def _end(*_: Any) -> None:
        raise _Ended

    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _show_once() -> Callable[..., None]:
    """Return a function that prints each warning once, from wherever it comes."""
    told: set[str] = set()

    def show(message: Warning | str, *_: Any) -> None:
        if str(message) not in told:
            told.add(str(message))
            _say(f"warning: {message}", file=sys.stderr)

    return show


def _say(line: str, file: TextIO | None = None) -> None:
    """Print one line, whatever characters a name in it has."""
    print(show_hidden(line), file=file)


def _say_table(lines: str) -> None:
    for line in lines.split("\n"):
        _say(line)


def _program() -> str:
    """Return what the user typed to get here: the installed command or the module."""
    return "facecore" if Path(sys.argv[0]).stem == "facecore" else AS_MODULE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_program(), description="Folders of labelled photos in, a classifier out."
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    crop = commands.add_parser("crop", help="crop faces of RAW/<label>/* into DIR/<label>_crop")
    crop.add_argument("raw", help="folder of label folders, or a labels.csv")
    crop.add_argument("--out", type=_path, required=True, metavar="DIR")
    crop.add_argument("--recipe", default="aligned", help="cut as this recipe does (aligned)")
    crop.set_defaults(run=_crop, stopped="the same command goes on where it was")

    sizes = commands.add_parser("sizes", help="study the face sizes of a folder of crops")
    sizes.add_argument("dir")
    sizes.set_defaults(run=_sizes)

    train = commands.add_parser("train", help="train a model into artifacts/NAME")
    train.add_argument(
        "dirs",
        nargs="+",
        metavar="DIR",
        help="a folder of crops (from `crop`) or of labelled photos",
    )
    train.add_argument("--name", required=True)
    train.add_argument(
        "--recipe", default="aligned", help="how faces are prepared and described (aligned)"
    )
    for command in (crop, train):
        command.add_argument(
            "--min-size",
            type=_at_least(1),
            metavar="N",
            help="least width of a face in pixels (54; none with --whole-photo)",
        )
        command.add_argument(
            "--whole-photo",
            action="store_true",
            help="each photo is the face already, as in sets of small crops: no detector runs",
        )
    train.add_argument(
        "--grid",
        type=expand_home,
        default="quick",
        help="quick, full, fine, tuned or a JSON file (quick); fine is a wide search in rounds",
    )
    train.add_argument(
        "--searches",
        type=expand_home,
        metavar="DIR",
        help="keep the finished search of each member here: the same command, begun again after it "
        "was killed, takes them up",
    )
    train.add_argument(
        "--centres",
        type=_at_least(0),
        default=0,
        metavar="N",
        help="make the model safe to share: N cluster centres instead of support vectors",
    )
    train.add_argument(
        "--solver",
        choices=["auto", "exact", "nystroem"],
        default="auto",
        help="kernel machine: auto is exact up to 30,000 faces, else nystroem (auto)",
    )
    train.add_argument(
        "--landmarks",
        type=_at_least(1),
        metavar="N",
        help="landmark faces of nystroem: more come closer to exact, and take longer (4000)",
    )
    train.add_argument("--note", default="", help="terms of the data, stored with the model")
    train.add_argument("--title", default="", help='what pages call the model, such as "Mood"')
    train.add_argument(
        "--simplest",
        action="store_true",
        help="take the candidate with the fewest components within one standard error of the best",
    )
    train.add_argument(
        "--order",
        type=_listed,
        default=(),
        metavar="A,B,...",
        help="the labels in their order, such as age bands; errors are then measured in steps",
    )
    train.add_argument(
        "--identity",
        action=argparse.BooleanOptionalAction,
        help="each label is one person: photos are split by photo, and strangers are unknown "
        "(if the data set names one subject per label)",
    )
    train.add_argument(
        "--right",
        type=_share,
        metavar="SHARE",
        help='say "unsure" so that this share of the answers is right (0.99, or what most faces '
        "can be answered with)",
    )
    train.add_argument(
        "--max-distance", type=_positive, metavar="D", help='"not a face" beyond this (chosen)'
    )
    train.add_argument(
        "--outside",
        action="append",
        default=[],
        type=_named_folder,
        metavar="KIND=DIR",
        help="photos or crops of faces that shall get no label, and what they look like, such as "
        '"a child=DIR"; repeat for several kinds',
    )
    train.add_argument(
        "--no-face",
        action="append",
        default=[],
        type=_named_folder,
        metavar="KIND=DIR",
        help='pictures that show no face, and what they look like, such as "a background=DIR"',
    )
    train.add_argument(
        "--least-age",
        type=_at_least(1),
        metavar="YEARS",
        help="age from which on the model is meant to be used, for its card",
    )
    train.add_argument("--no-rule", action="store_true", help="give every face a label")
    train.add_argument(
        "--replace", action="store_true", help="replace the model of this name, if there is one"
    )
    train.set_defaults(run=_train, stopped=f"a model is stored only when it is whole; {AGAIN}")

    curve = commands.add_parser(
        "learning-curve", help="measure whether more photos would help a model, and of which label"
    )
    curve.add_argument(
        "dirs", nargs="+", metavar="DIR", help="the photos or crops that it was trained on"
    )
    curve.add_argument("--model", required=True, metavar="NAME", help="a model of your own")
    curve.set_defaults(run=_learning_curve, stopped=f"no table was stored; {AGAIN}")

    evaluate = commands.add_parser("evaluate", help="measure a model on labelled photos")
    evaluate.add_argument("photos", help="folder of label folders, or a labels.csv")
    evaluate.add_argument("--split", help="only photos of this split")
    evaluate.add_argument(
        "--map",
        type=_mapped,
        default=(),
        metavar="A=B,...",
        help="call the set's label A as the model calls it; A= leaves its photos out",
    )
    evaluate.add_argument("--limit", type=_at_least(1), help="a random sample of this many photos")
    evaluate.add_argument(
        "--least",
        type=_at_least(1),
        metavar="N",
        help="groups of fewer photos are not compared; 50 where left out",
    )
    evaluate.add_argument("--json", type=_path, metavar="FILE", help="write the figures here")
    evaluate.set_defaults(run=_evaluate, stopped=f"no figures were written; {AGAIN}")

    predict = commands.add_parser("predict", help="find and classify the faces of photos")
    predict.add_argument(
        "photos", nargs="+", metavar="PHOTO", help="a photo, a pattern, or a folder of photos"
    )
    predict.add_argument("--json", action="store_true", help="one JSON object per line")
    predict.add_argument(
        "--unsure",
        type=_share,
        metavar="CONFIDENCE",
        help="confidence threshold for a label, from 0 to 1 (the model's own)",
    )
    predict.add_argument(
        "--max-distance",
        type=_positive,
        metavar="D",
        help='distance from face space beyond which the answer is "not a face" (the model\'s own)',
    )
    predict.set_defaults(run=_predict, stopped=f"the answers so far are whole; {AGAIN}")

    models = commands.add_parser("models", help="list the models")
    models.set_defaults(run=_models)

    card = commands.add_parser("card", help="print the card of a model")
    card.add_argument("model", nargs="?", metavar="NAME", help="the default model if omitted")
    card.add_argument(
        "--write", action="store_true", help="write it again and store it with the model"
    )
    card.set_defaults(run=_card)

    compare = commands.add_parser(
        "compare", help="compare two models on the same test photos, and store the figures"
    )
    compare.add_argument("first", metavar="MODEL")
    compare.add_argument("second", metavar="MODEL")
    compare.add_argument(
        "photos", nargs="+", metavar="PHOTOS", help="folder of label folders, or a labels.csv"
    )
    compare.add_argument("--limit", type=_at_least(1), help="a random sample of each data set")
    compare.add_argument(
        "--out", type=_path, metavar="FILE", help="write the figures here (beside the models)"
    )
    compare.set_defaults(run=_compare, stopped=f"no figures were written; {AGAIN}")

    report = commands.add_parser("report", help="write a report on a model to hand in: one HTML")
    report.add_argument("model", nargs="?", metavar="NAME", help="the default model if omitted")
    report.add_argument("--out", type=_path, required=True, metavar="FILE")
    report.add_argument(
        "--faces",
        action="store_true",
        help="draw faces also where they may show a real person",
    )
    report.set_defaults(run=_report)

    runs = commands.add_parser("runs", help="list the trainings of the experiment log")
    runs.add_argument("--csv", type=_path, metavar="FILE", help="write the log as a table here")
    runs.add_argument("--delete", action="store_true", help="delete the log; models stay")
    runs.set_defaults(run=_runs)

    synth = commands.add_parser("synth", help="write synthetic photos and whom they show")
    synth.add_argument("--out", type=_path, required=True, metavar="DIR")
    synth.add_argument("--count", type=_at_least(1), default=200, help="photos in all (200)")
    synth.set_defaults(run=_synth, stopped="the same command writes all photos again")

    ladder = commands.add_parser(
        "ladder",
        help="compare descriptions of a face, from pixels to an embedding, on the same folds",
    )
    ladder.add_argument("data", nargs="+", metavar="DATA", help="raw photos")
    ladder.add_argument("--folds", type=int, choices=range(1, 6), default=1, help="of five (1)")
    ladder.add_argument("--quick", action="store_true", help="at most 1,000 faces")
    ladder.add_argument(
        "--out", type=_path, metavar="DIR", help="folder of the tables (beside the models)"
    )
    ladder.set_defaults(run=_ladder, stopped=f"no table was written; {AGAIN}")

    dashboard = commands.add_parser("dashboard", help="run the dashboard on this computer")
    dashboard.add_argument("--port", type=_port, default=8501, help="port to listen on (8501)")
    dashboard.set_defaults(run=_dashboard)

    serve = commands.add_parser("serve", help="run the upload site; see docs/web.md")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    serve.add_argument("--port", type=_port, default=8000, help="port to listen on (8000)")
    serve.set_defaults(run=_serve)

    parser.set_defaults(progress=None, dask=None, max_megapixels=None, max_mb=None, stopped=AGAIN)
    for command in (crop, train, curve, evaluate, compare, predict, ladder):
        command.add_argument(
            "--jobs", type=_jobs, default=-1, help="worker processes (one per core)"
        )
    for command in (crop, train, curve, evaluate, compare, ladder):
        command.add_argument(
            "--progress", type=_path, metavar="FILE", help="write progress as JSON to this file"
        )
    for command in (crop, train, evaluate, ladder):
        command.add_argument(
            "--dask", metavar="ADDRESS", help="run on a Dask cluster; see docs/scaling.md"
        )
    for command in (crop, train, evaluate, compare, predict):
        command.add_argument(
            "--max-megapixels",
            type=_at_least(1),
            metavar="N",
            help="most pixels of a photo that are decoded, in millions (50); a larger JPEG is read "
            "at less than full size",
        )
        command.add_argument(
            "--max-mb", type=_at_least(1), metavar="N", help="largest file in MB (20)"
        )
    for command in (train, evaluate, compare, synth, ladder):
        command.add_argument("--seed", type=_at_least(0), default=0)
    for command in (evaluate, predict):
        command.add_argument("--no-rule", action="store_true", help="give every face a label")
    for command in (evaluate, predict, synth):
        command.add_argument("--model", metavar="NAME", help="the default model if omitted")
    return parser


def _path(text: str) -> Path:
    return Path(expand_home(text))


def _at_least(least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{value} is below {least}")
        return value

    parse.__name__ = f"whole number from {least}"
    return parse


def _port(text: str) -> int:
    if not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port, from 1 to 65535")
    return int(text)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(label.strip() for label in text.split(","))


def _named_folder(value: str) -> tuple[str, Path]:
    """Read KIND=DIR."""
    kind, given, folder = value.partition("=")
    if not (given and kind.strip() and folder):
        raise argparse.ArgumentTypeError(f"{value!r} is not of the form KIND=DIR")
    return kind.strip(), expand_one(folder)


def _each_once(kinds: Sequence[tuple[str, Path]], option: str) -> dict[str, Path]:
    """Return folders by kind; an error where a kind is given twice, as one would be lost."""
    names = [kind for kind, _ in kinds]
    if again := [kind for kind in names if names.count(kind) > 1]:
        raise DataError(f"{option} names {again[0]!r} twice; put its photos into one folder")
    return dict(kinds)


def _mapped(text: str) -> tuple[tuple[str, str], ...]:
    pairs = [tuple(word.strip() for word in pair.partition("=")[::2]) for pair in text.split(",")]
    if any("=" not in pair or not pair.partition("=")[0].strip() for pair in text.split(",")):
        raise argparse.ArgumentTypeError(f"{text!r} is not A=B,...: the set's label, the model's")
    theirs = [pair[0] for pair in pairs]
    if again := [label for label in theirs if theirs.count(label) > 1]:
        raise argparse.ArgumentTypeError(f"{text!r} maps {again[0]!r} twice")
    return tuple((theirs, ours) for theirs, ours in pairs)


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{value} is not from 0 to 1")
    return value


def _positive(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{value} is not above 0")
    return value


def _jobs(text: str) -> int:
    if not int(text):
        raise argparse.ArgumentTypeError("0 worker processes do nothing; -1 means one per core")
    return int(text)


def _run(options: argparse.Namespace) -> int:
    with ExitStack() as around:
        around.enter_context(_limited(options))
        if options.progress:
            from facecore.system.files import try_file
            from facecore.system.progress import progress_to

            try_file(options.progress)
            around.enter_context(progress_to(options.progress))
        if options.dask:
            from facecore.system.cluster import on_cluster

            around.enter_context(on_cluster(options.dask))
        return int(options.run(options))


@contextmanager
def _limited(options: argparse.Namespace) -> Iterator[None]:
    """Set the limits of photos in the environment, which worker processes inherit."""
    before = dict(os.environ)
    for variable, value in (
        ("FACECORE_MAX_MEGAPIXELS", options.max_megapixels),
        ("FACECORE_MAX_FILE_MB", options.max_mb),
    ):
        if value is not None:
            os.environ[variable] = str(value)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _crop(options: argparse.Namespace) -> int:
    from facecore.data.crops import count_states, crop_folder, recipe_settings
    from facecore.data.losses import NONE_LEFT, describe_losses

    settings = recipe_settings(options.recipe, options.min_size, options.whole_photo)
    table = crop_folder(
        expand_one(options.raw),
        options.out,
        settings,
        jobs=options.jobs,
        progress=True,
    )
    _say_table(count_states(table).to_string())
    for reason, number in (
        table.loc[table["state"].eq("duplicate"), "reason"].value_counts().items()
    ):
        _say(f"duplicate: {number} photos, {reason}")
    if not table["state"].eq("kept").any():
        reasons = describe_losses(table, settings.min_size, share=0)
        raise DataError(f"{NONE_LEFT[0]}: {'; '.join(reasons)}")
    for line in describe_losses(table, settings.min_size):
        _say(line)
    return 0


def _sizes(options: argparse.Namespace) -> int:
    from facecore.data.crops import count_states, read_table
    from facecore.data.sizes import describe_sizes, effect_of_minimum

    table = read_table(expand_one(options.dir))
    _say_table(f"What happened to the photos\n{count_states(table).to_string()}")
    _say_table(f"\nWidth of the face box in pixels\n{describe_sizes(table).to_string()}")
    _say_table(f"\nFaces left by a minimum width\n{effect_of_minimum(table).to_string()}")
    return 0


def _train(options: argparse.Namespace) -> int:
    from facecore.data.losses import describe_losses
    from facecore.model.store import read_evaluation, read_metadata, read_model_table
    from facecore.training.nystroem import EXACT_UP_TO
    from facecore.training.options import LANDMARKS
    from facecore.training.pipeline import train

    options.dirs = [Path(path) for path in expand_patterns(options.dirs)]
    wanted = {
        name: getattr(options, name)
        for name in ("title", "order", "identity", "right", "max_distance", "simplest")
    }
    folder = train(
        options.dirs,
        options.name,
        recipe=options.recipe,
        grid=options.grid,
        note=options.note,
        command=_describe_command(options),
        min_size=options.min_size,
        whole_photo=options.whole_photo,
        replace=options.replace,
        jobs=options.jobs,
        seed=options.seed,
        centres=options.centres,
        solver=options.solver,
        landmarks=options.landmarks or LANDMARKS,
        progress=True,
        rule=not options.no_rule,
        outside=_each_once(options.outside, "--outside"),
        no_face=_each_once(options.no_face, "--no-face"),
        least_age=options.least_age,
        searches=options.searches,
        **wanted,
    )
    metadata, evaluation = read_metadata(folder.name), read_evaluation(folder.name)
    search = metadata["search"]
    best = search.get("members", search["best"])
    faces = sum(metadata["training_faces"].values())
    print(f"solver: {metadata['solver']} ({faces} faces; auto is exact up to {EXACT_UP_TO})")
    chosen = "simplest within one standard error" if "chosen" in search else "best"
    print(f"{chosen} of {search['candidates']} candidates: {best}")
    print(f"cross-validated score of the model: {search['balanced_accuracy']:.3f}")
    for line in _describe_rule(metadata, options.right):
        print(line)
    for name, figures in (evaluation or {}).items():
        _print_figures(name, figures)
    sizes = read_model_table("sizes", folder.name)
    for name, photos in sizes.groupby("set", sort=False) if sizes is not None else ():
        for line in describe_losses(photos, metadata["data"][name].get("min_size")):
            _say(f"{name}: {line}")
    _say(f"model {folder.name} written to {folder}")
    return 0


def _describe_rule(metadata: Mapping[str, Any], wanted: float | None) -> list[str]:
    """Say what the model answers out of fold, and to whom."""
    rule, strangers = metadata.get("rule"), metadata.get("strangers")
    lines = []
    if metadata.get("identity"):
        lines.append(
            "each label is one person, so photos of a person are in several folds and splits"
        )
    if rule is None:
        lines.append("every face gets a label: the model has no rule for doubt")
    elif rule["accuracy"] is None:
        lines.append("no training face gets a label under the rule; train with --no-rule")
    else:
        target = f"; the target is {rule['target']:g}" if "target" in rule else ""
        lines.append(
            f"answers {rule['coverage']:.3f} of the training faces out of fold, of these right "
            f"{rule['accuracy']:.3f}{target}"
        )
        if wanted and rule["accuracy"] < wanted:
            lines.append(
                f"{wanted:g} right cannot be reached: at the best confidence, "
                f"{rule.get('min_confidence', 0):g}, {rule['accuracy']:.3f} are; ask for less with "
                "--right"
            )
    for kind in metadata.get("outside", []):
        lines.append(
            f"{kind['kind']}: {kind['answered']:.3f} of {kind['pictures']:,} pictures get a label "
            f"({kind['answered_before']:.3f} without being shown them), and "
            f"{kind['false_reject']:.3f} of the training faces are refused as like them"
        )
    if strangers and "min_lead" in (rule or {}):
        lines.append(
            f"strangers (labels held out): {strangers['false_accept']:.3f} of their faces get a "
            f"label, and {strangers['false_reject']:.3f} of the labels' own are called unknown"
        )
    elif metadata.get("identity"):
        lines.append("strangers get a label, too: the model has no rule to tell them")
    elif strangers and strangers["auc"] >= LIKE_PERSONS:
        lines.append(
            "if each label is one person, train with --identity: strangers are then unknown"
        )
    return lines


def _describe_command(options: argparse.Namespace) -> str:
    """Return the command to run again, without the paths of this machine."""
    parts = ["python -m facecore train", *(path.resolve().name for path in options.dirs)]
    grid = Path(options.grid).name
    parts += ["--name", options.name, "--recipe", options.recipe, "--grid", grid]
    parts += ["--whole-photo"] * options.whole_photo + ["--simplest"] * options.simplest
    if options.min_size:
        parts += ["--min-size", str(options.min_size)]
    if options.centres:
        parts += ["--centres", str(options.centres)]
    if options.solver != "auto":
        parts += ["--solver", options.solver]
    if options.landmarks:
        parts += ["--landmarks", str(options.landmarks)]
    for name in ("title", "right", "max_distance"):
        if (value := getattr(options, name)) not in (None, ""):
            parts += [f"--{name.replace('_', '-')}", shlex.quote(str(value))]
    if options.order:
        parts += ["--order", shlex.quote(",".join(options.order))]
    if options.identity is not None:
        parts.append("--identity" if options.identity else "--no-identity")
    for name in ("outside", "no_face"):
        for kind, folder in getattr(options, name):
            value = shlex.quote(f"{kind}={folder.resolve().name}")
            parts += [f"--{name.replace('_', '-')}", value]
    if options.least_age:
        parts += ["--least-age", str(options.least_age)]
    parts += ["--no-rule"] * options.no_rule
    return " ".join([*parts, "--seed", str(options.seed)])


def _learning_curve(options: argparse.Namespace) -> int:
    import joblib

    from facecore.model.store import store_table
    from facecore.training.learning_curve import estimate_seconds, measure_curve
    from facecore.training.learning_forecast import describe_curve

    jobs = joblib.effective_n_jobs(options.jobs)
    seconds = estimate_seconds(options.model, jobs)
    _say(f"about {describe_seconds(seconds)}, after the photos were read", file=sys.stderr)
    sources = [Path(path) for path in expand_patterns(options.dirs)]
    table = measure_curve(sources, options.model, jobs=options.jobs, progress=True)
    whole = table[table["kind"].eq("curve")].drop(columns=["kind", "label"])
    _say_table(whole.to_string(index=False))
    for line in describe_curve(table):
        _say(line)
    _say(f"learning_curve.csv written to {store_table(options.model, 'learning_curve', table)}")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from facecore.data.listing import read_listing, split_of
    from facecore.evaluation.gaps import trait_gaps
    from facecore.evaluation.groups import weakest_group
    from facecore.evaluation.intervals import LEAST_PHOTOS
    from facecore.evaluation.report import (
        count_labels,
        evaluate_predictions,
        map_labels,
        predict_table,
    )
    from facecore.model.rule import AnswerRule
    from facecore.model.store import load_model, read_metadata
    from facecore.system.files import try_file, write_json
    from facecore.system.progress import track

    if options.json:
        try_file(options.json)
    model = load_model(options.model)
    if options.no_rule:
        model = replace(model, rule=AnswerRule())
    source = expand_one(options.photos)
    listing = read_listing(source)
    for note in listing.notes:
        _say(note, file=sys.stderr)
    chosen = listing.photos
    if options.split:
        splits = sorted(set(chosen["split"]) - {""})
        chosen = chosen[chosen["split"].eq(split_of(options.split) or options.split)]
        if chosen.empty:
            known = f"there are: {', '.join(splits)}" if splits else "the photos have no splits"
            raise DataError(f"no photo of split {options.split!r}; {known}")
    photos = map_labels(
        chosen, model.labels, dict(options.map), others=set(listing.photos["label"])
    )
    left_out = chosen.drop(photos.index)
    if len(left_out):
        _say(f"left out by --map: {len(left_out):,} photos: {count_labels(left_out)}", sys.stderr)
    if options.limit and options.limit < len(photos):
        photos = photos.sample(options.limit, random_state=options.seed).sort_index()
    bar = partial(track, total=len(photos), name="evaluate", unit="photo", progress=True)
    table = predict_table(photos, source, model, name=source.stem, jobs=options.jobs, progress=bar)
    order = read_metadata(options.model).get("order", ())
    figures, least = evaluate_predictions(table, order), options.least or LEAST_PHOTOS
    _print_figures(source.stem, figures)
    for trait, groups in figures["groups"].items():
        for group, found in groups.items():
            low, high = found["interval_all"]
            _say(
                f"  {trait} {group}: {found['n']} photos, answered {found['coverage']:.3f}, "
                f"forced accuracy {found['accuracy_all']:.3f} [{low:.3f}, {high:.3f}]"
            )
    apart = trait_gaps(table, order, least)
    for gap in apart:
        (widest,) = gap["sets"]
        low, high = widest["interval"]
        of = f" of {gap['label']}" if gap["label"] else ""
        _say(
            f"  largest gap by {gap['trait']} in {gap['figure']}{of}: {widest['gap']:.3f} "
            f"[{low:.3f}, {high:.3f}], {widest['best']} over {widest['worst']}"
        )
    if weakest := weakest_group(figures["crossed"], least):
        low, high = weakest["interval_all"]
        _say(
            f"  weakest of label and group: {weakest['label']}, {weakest['trait']} "
            f"{weakest['group']}: {weakest['n']} photos, forced accuracy "
            f"{weakest['accuracy_all']:.3f} [{low:.3f}, {high:.3f}]"
        )
    if options.json:
        try:
            counts = left_out["label"].value_counts().sort_index().to_dict()
            write_json(options.json, {**figures, "trait_gaps": apart, "left_out": counts})
        except OSError as error:
            raise DataError(f"cannot write {options.json}: {error.strerror}") from error
    return 0


def _print_figures(name: str, figures: Mapping[str, Any]) -> None:
    def show(key: str) -> str:
        return "-" if figures[key] is None else f"{figures[key]:.3f}"

    low, high = figures["interval_all"]
    least, most = figures["interval_answered"]
    _say_table(
        f"{show_hidden(name)}: {figures['n']} photos, {figures['detected']} with a face; "
        f"answered {show('coverage')}, right when answered {show('accuracy_answered')} "
        f"[{least:.3f}, {most:.3f}], forced accuracy {show('accuracy_all')} "
        f"[{low:.3f}, {high:.3f}]; {figures['ms_per_photo']} ms per photo\n"
        f"  forced, faces found {show('accuracy_found')}; balanced, faces found "
        f"{show('balanced_accuracy_found')}, all photos {show('balanced_accuracy_all')}; "
        f"calibration error {show('calibration_error')}, Brier score {show('brier_score')}"
    )
    if risk := figures.get("risk"):
        _say(
            f"  area under the risk-coverage curve {risk['aurc']:.4f}; in a random order "
            f"{risk['random']:.4f}, in the ideal order {risk['ideal']:.4f}"
        )
    if len(figures["by_label"]) > 2:
        _say(f"  {_describe_labels(figures)}")


def _describe_labels(figures: Mapping[str, Any]) -> str:
    """Return the figures that only more than two labels have."""
    shares = {"macro AUC": figures.get("macro_auc"), "macro F1": figures.get("macro_f1")}
    for count, share in figures.get("top_accuracy", {}).items():
        shares[f"top {count}"] = share
    if "mean_absolute_error" in figures:
        shares["mean error in steps"] = figures["mean_absolute_error"]
    parts = [f"{name} {share:.3f}" for name, share in shares.items() if share is not None]
    for pair in figures["confused_pairs"][:1]:
        parts.append(
            f"most confused: {pair['label']} answered {pair['answered']} "
            f"({pair['photos']} photos, {pair['share']:.0%})"
        )
    return ", ".join(parts)


def _predict(options: argparse.Namespace) -> int:
    from facecore.model.predict import predict_many
    from facecore.model.rule import AnswerRule
    from facecore.model.store import load_model

    model = load_model(options.model)
    rule = AnswerRule() if options.no_rule else model.rule
    if options.unsure is not None:
        rule = replace(rule, min_confidence=options.unsure)
    if options.max_distance is not None:
        rule = replace(rule, max_distance=options.max_distance)
    photos = [
        (path, path) for given in expand_patterns(options.photos) for path in _photos_at(given)
    ]
    jobs = options.jobs if len(photos) > FEW else 1
    # An escape of Python's in place of a letter that the output cannot encode would be no JSON.
    in_utf8 = (getattr(sys.stdout, "encoding", None) or "utf-8").lower() in ("utf-8", "utf8")
    failed = False
    for answer in predict_many(photos, model, jobs=jobs, rule=rule):
        path = answer.photo
        failed |= answer.error is not None
        if options.json:
            print(json.dumps(answer.to_dict(), ensure_ascii=not in_utf8), flush=True)
        elif answer.error:
            _say(f"{path}: error: {answer.error}{HINTS.get(answer.reason or '', '')}")
        elif not answer.faces:
            _say(f"{path}: no face found")
        else:
            for face in answer.faces:
                _say(f"{path}: {_describe_face(face)}")
        if not options.json:
            for note in answer.notes:
                _say(f"{path}: note: {note}")
    return int(failed)


def _photos_at(given: str) -> list[str]:
    """Return a photo's path, or those of all photos in a folder and its folders, sorted."""
    from facecore.data.photos import describe_skipped, find_photos

    folder = Path(given)
    if not folder.is_dir():
        return [given]
    try:
        found = find_photos(folder)
    except OSError as error:
        raise DataError(f"cannot list {error.filename}: {error.strerror}") from error
    told = describe_skipped(found.skipped)
    if not found.paths:
        raise DataError(f"no photo in {given}" + (f" ({told})" if told else ""))
    if told:
        _say(f"{given}: {told}", file=sys.stderr)
    return [str(folder / path) for path in found.paths]


def _describe_face(face: "FaceAnswer") -> str:
    place = f"at {list(face.box)}"
    if face.label:
        return f"{face.label} {face.probability:.2f} {place}"
    return f"{face.verdict} ({face.likely} {face.probability:.2f}) {place}: {face.why}"


def _models(options: argparse.Namespace) -> int:
    from facecore.model.store import find_model, list_models

    names = list_models()
    if not names:
        find_model()
    broken = False
    for name in names:
        try:
            _say(_describe_model(name))
        except FacecoreError as error:
            broken = True
            _say(f"{name}: {error}")
    return int(broken)


def _describe_model(name: str) -> str:
    from facecore.face.recipes import describe_recipe, lacks
    from facecore.model.store import find_model, read_evaluation, read_metadata, read_recipe

    metadata, evaluation = read_metadata(name), read_evaluation(name) or {}
    recipe = read_recipe(name)
    why, phrase = lacks(recipe), describe_recipe(recipe)
    does = f" ({phrase})" if phrase else ""
    size = sum(file.stat().st_size for file in find_model(name).iterdir()) / 1e6
    try:
        scores = ", ".join(
            f"{data} {figures['accuracy_all']:.3f}" for data, figures in evaluation.items()
        )
        return (
            f"{name}: {' / '.join(metadata['labels'])}, recipe {metadata['recipe']}{does}, "
            f"{sum(metadata['training_faces'].values())} faces, {size:.1f} MB, "
            f"trained {metadata['created']}; accuracy over all test photos: {scores or 'none'}"
            + (f"; cannot be used: {why}" if why else "")
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ModelError(f"its metadata lack {error}; train it again") from error


def _runs(options: argparse.Namespace) -> int:
    from facecore.system.files import try_file, write_atomically
    from facecore.training.run_tables import tabulate_runs
    from facecore.training.runs import delete_runs, read_runs, runs_file

    if options.csv:
        try_file(options.csv)
    log = read_runs()
    if log.damaged:
        _say(f"{runs_file()}: {log.damaged} damaged lines are left out", file=sys.stderr)
    table = tabulate_runs(log.runs)
    if options.csv:
        write_atomically(options.csv, table.to_csv(index=False, lineterminator="\n"))
        _say(f"{len(table)} trainings written to {options.csv}")
    elif not log.runs:
        _say("nothing was trained yet")
    else:
        table["when"] = table["when"].dt.strftime("%Y-%m-%d %H:%M").fillna("-")
        shown = ["when", "name", "state", "recipe", "grid", "faces", "score", "answered"]
        shown += ["right when answered", "forced accuracy", "minutes", "model", "reason"]
        for column in ("name", "grid", "reason"):
            table[column] = table[column].fillna("").astype(str).map(show_hidden)
        _say_table(table[shown].to_string(index=False, na_rep="-"))
    if options.delete:
        delete_runs()
        _say(f"deleted {runs_file()}")
    return 0


def _card(options: argparse.Namespace) -> int:
    from facecore.evaluation.card import card_of, make_card
    from facecore.model.store import find_model, store_card

    name = find_model(options.model).name
    card = make_card(name) if options.write else card_of(name)
    if options.write:
        store_card(name, card)
    print(card, end="")
    return 0


def _compare(options: argparse.Namespace) -> int:
    from facecore.evaluation.comparison import compare_models, comparison_file, write_comparison
    from facecore.system.files import try_file, try_folder
    from facecore.system.progress import track

    names = (options.first, options.second)
    if options.out:
        try_file(options.out)
    else:
        try_folder(comparison_file(*names).parent)
    (found,) = compare_models(
        names,
        [Path(path) for path in expand_patterns(options.photos)],
        limit=options.limit,
        seed=options.seed,
        jobs=options.jobs,
        watch=lambda rows, total, name: track(
            rows, total, f"compare on {name}", "photo", progress=True
        ),
    )
    for name, figures in found["sets"].items():
        for note in figures["notes"]:
            _say(f"{name}: {note}", file=sys.stderr)
        for key, what in (("right", "right"), ("answered", "answered and right")):
            _say(f"{name}, {what}: {_describe_pair(figures[key], names)}")  # type: ignore[literal-required]
        first, second = figures["ms"]
        _say(
            f"{name}, time per photo: {names[0]} {first:.1f} ms, {names[1]} {second:.1f} ms "
            f"(ratio on the same photos {figures['ratio']:.2f})"
        )
    _say(f"comparison written to {write_comparison(found, options.out)}")
    return 0


def _describe_pair(figures: Mapping[str, Any], names: Sequence[str]) -> str:
    n, (low, high) = figures["n"], figures["interval"]
    shares = [(figures["both"] + figures[key]) / n for key in ("only_first", "only_second")]
    return (
        f"{n:,} photos; {names[0]} {shares[0]:.3f}, {names[1]} {shares[1]:.3f}; difference "
        f"{shares[0] - shares[1]:+.3f} [{low:+.3f}, {high:+.3f}]; only {names[0]} "
        f"{figures['only_first']:,}, only {names[1]} {figures['only_second']:,}, p {figures['p']:g}"
    )


def _report(options: argparse.Namespace) -> int:
    from facecore.evaluation.document import write_report
    from facecore.model.store import find_model
    from facecore.system.files import try_file, write_atomically

    try_file(options.out)
    html = write_report(find_model(options.model).name, faces=options.faces)
    write_atomically(options.out, html)
    _say(f"report written to {options.out} ({len(html.encode()) / 1e3:,.0f} kB)")
    return 0


def _synth(options: argparse.Namespace) -> int:
    from facecore.model.labels import whom_it_shows
    from facecore.model.store import load_model, read_metadata
    from facecore.model.synth import write_photos

    count = write_photos(load_model(options.model), options.out, options.count, options.seed)
    whom = whom_it_shows(read_metadata(options.model))
    _say(f"{count} photos of synthetic faces in {options.out}. Of such a face: {whom}")
    return 0


def _ladder(options: argparse.Namespace) -> int:
    from facecore.model.store import artifacts_dir
    from facecore.system.files import try_folder
    from facecore.training.ladder import LADDER_FOLDER, climb, write_ladder

    try_folder(options.out or artifacts_dir() / LADDER_FOLDER)

    options.data = [Path(path) for path in expand_patterns(options.data)]
    parts = ["python -m facecore ladder", *(path.resolve().name for path in options.data)]
    parts += ["--quick"] * options.quick + ["--folds", str(options.folds)]
    ladder = climb(
        options.data,
        folds=options.folds,
        quick=options.quick,
        jobs=options.jobs,
        seed=options.seed,
        command=" ".join([*parts, "--seed", str(options.seed)]),
        progress=True,
    )
    _say_table(ladder.rungs.drop(columns=["recipe", "members"]).to_string(index=False))
    wide = ladder.curves.pivot(index="training_faces", columns="rung", values="accuracy")
    print(
        "\nAccuracy by number of training faces\n", wide[ladder.rungs["rung"]].to_string(), sep=""
    )
    for rung, why in ladder.about["left_out"].items():
        _say(f"left out: {rung}: {why}")
    _say(f"tables written to {write_ladder(ladder, options.out)}")
    return 0


def _dashboard(options: argparse.Namespace) -> int:
    from facecore.system.apps import start_dashboard

    return start_dashboard(["--server.port", str(options.port)])


def _serve(options: argparse.Namespace) -> int:
    from facecore.system.apps import start_site

    return start_site(options.host, options.port)


if __name__ == "__main__":
    sys.exit(main())
