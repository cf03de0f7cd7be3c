"""Coverage-guided fuzzing of what reads foreign bytes: photos, models, label tables, ZIPs.

    pip install atheris
    python tests/trials/fuzz.py [--seconds N | --minutes N] [--target NAME ...] [--json FILE]

Each target runs for so long in a process of its own and starts from files made in code. Any
exception that is not of the library's own family is a finding, as are more than 2 GB of memory and
20 seconds for one input; the input is kept in a file whose name is told.
"""

import argparse
import io
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

REPO = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPO), str(REPO / "tests")]

from benchmarks.figures import publish  # noqa: E402
from facecore.errors import FacecoreError  # noqa: E402

SPLIT = b"\n--- arrays ---\n"
FOUND = REPO / "fuzz-findings"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the targets and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20, metavar="N", help="a target (20)")
    parser.add_argument("--minutes", type=float, metavar="N", help="a target")
    parser.add_argument("--target", nargs="+", choices=[*TARGETS], default=[*TARGETS])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    parser.add_argument("--one", nargs=2, metavar=("NAME", "FLAGS"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        fuzz_here(options.one[0], options.one[1].split())
        return 0
    seconds = round(options.minutes * 60 if options.minutes else options.seconds)
    return publish(lambda: fuzz_all(options.target, seconds, options.seed), options.json)


def fuzz_all(names: Sequence[str], seconds: int, seed: int) -> dict[str, Any]:
    """Run targets one after another, and print a table.

    Parameters
    ----------
    names : sequence of str
    seconds : int
        For each.
    seed : int

    Returns
    -------
    dict

    Raises
    ------
    FacecoreError
        There is a finding, or nothing to fuzz with.
    """
    if find_spec("atheris") is None:
        raise FacecoreError("nothing was fuzzed, atheris is not installed: pip install atheris")
    figures: dict[str, Any] = {"seconds_per_target": seconds}
    found: list[str] = []
    print(f"{'target':<8} {'executions':>10} {'a second':>9} {'findings':>8}")
    for name in names:
        executions, findings = fuzz(name, seconds, seed)
        figures |= {f"{name}_executions": executions, f"{name}_findings": len(findings)}
        print(f"{name:<8} {executions:10,} {executions / seconds:9,.0f} {len(findings):8}")
        print(*findings, sep="\n", end="\n" if findings else "", flush=True)
        found += findings
    if found:
        raise FacecoreError(f"{len(found)} findings")
    return figures


def fuzz(name: str, seconds: int, seed: int) -> tuple[int, list[str]]:
    """Run one target in a process of its own; returns executions and findings."""
    with tempfile.TemporaryDirectory(prefix="facecore-fuzz-") as folder:
        seeds, kept = Path(folder, "seeds"), Path(folder, "kept")
        seeds.mkdir()
        kept.mkdir()
        for i, data in enumerate(TARGETS[name][1]()):
            (seeds / f"{i:03}").write_bytes(data)
        flags = [
            f"-max_total_time={seconds}",
            f"-seed={seed}",
            "-print_final_stats=1",
            "-rss_limit_mb=2048",
            "-timeout=20",
            f"-artifact_prefix={kept}/",
            "-max_len=65536",
            str(seeds),
        ]
        done = subprocess.run(
            [sys.executable, __file__, "--one", name, " ".join(flags)],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            cwd=folder,
        )
        log = done.stdout + done.stderr
        count = re.search(r"number_of_executed_units:\s*(\d+)", log)
        findings = []
        for path in sorted(kept.iterdir()):
            FOUND.mkdir(exist_ok=True)
            target = FOUND / f"{name}-{path.name}"
            shutil.copy(path, target)
            findings.append(f"{name}: {target}\n{log[-2500:]}")
        if "no interesting inputs were found" in log:
            findings.append(f"{name}: no coverage is measured, so nothing guides the fuzzing")
        if done.returncode and not findings:
            findings.append(f"{name}: exit code {done.returncode}\n{log[-2500:]}")
    return int(count[1]) if count else 0, findings


def fuzz_here(name: str, flags: Sequence[str]) -> None:
    """Fuzz in this process, with the library's code instrumented."""
    import atheris

    target, seeds = TARGETS[name]
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as root:
        place = Path(root)
        with atheris.instrument_imports(include=["facecore", "PIL"]):
            target(seeds()[0], place)  # imports what it needs

        def once(data: bytes) -> None:
            target(data, place)

        atheris.Setup([sys.argv[0], *flags], once)
        atheris.Fuzz()


def read_photo(data: bytes, place: Path) -> None:
    """Decode bytes as a photo, at full size and smaller."""
    from facecore.errors import PhotoError
    from facecore.face.images import Limits, decode

    for enough in (None, 100):
        try:
            photo = decode(data, enough=enough, limits=Limits(max_pixels=2_000_000))
        except PhotoError:
            continue
        assert photo.pixels.ndim == 3 and photo.pixels.dtype.name == "uint8"
        assert photo.width > 0 and photo.height > 0


def read_model(data: bytes, place: Path) -> None:
    """Load bytes as a model, with checksums that are right, and let it decide."""
    import hashlib

    from facecore.errors import ModelError
    from facecore.face.recipes import rows_of
    from facecore.model.classifier import FaceModel
    from facecore.model.predict import predict_photo

    document, _, arrays = data.partition(SPLIT)
    digest = hashlib.sha256(arrays).hexdigest().encode()
    (place / "model.npz").write_bytes(arrays)
    (place / "model.json").write_bytes(
        re.sub(rb'"sha256": "\w*"', b'"sha256": "%s"' % digest, document)
    )
    try:
        model = FaceModel.load(place)
    except ModelError:
        return
    (_, numbers), dtype = rows_of(1, model.recipe)
    assert model.predict_proba(np.zeros((1, numbers), dtype)).shape == (1, len(model.labels))
    for photo in asked():
        answer = predict_photo(photo, model)
        assert answer.error is None
        assert all(face.verdict for face in answer.faces)


@cache
def asked() -> tuple[np.ndarray, ...]:
    """Return a drawn photo with a face, and one without."""
    from cartoons import draw_photo

    return draw_photo("round", 0), np.full((60, 80, 3), 120, dtype=np.uint8)


def read_labels(data: bytes, place: Path) -> None:
    """Read bytes as the table of labels beside a photo, and as a table alone."""
    from facecore.data.listing import list_photos
    from facecore.errors import DataError

    (place / "neutral").mkdir(exist_ok=True)
    (place / "neutral" / "a.jpg").touch()
    (place / "labels.csv").write_bytes(data)
    for source in (place, place / "labels.csv"):
        try:
            table = list_photos(source)
        except DataError:
            continue
        assert len(table) and table["path"].is_unique


def read_zip(data: bytes, place: Path) -> None:
    """Read bytes as a ZIP of photos and of label folders."""
    from facecore.data.archive import ArchiveLimits, read_photos, unpack_labels
    from facecore.errors import DataError

    limits = ArchiveLimits(max_photos=20, max_photo_bytes=2**18, max_bytes=2**20)
    try:
        for entry in read_photos(data, limits):
            assert entry.error is None or entry.data == b""
    except DataError:
        pass
    target = place / "deep" / "raw"
    try:
        unpack_labels(io.BytesIO(data), target, limits)
    except DataError:
        assert not target.exists()
    assert {path.name for path in place.iterdir()} <= {"deep"}
    shutil.rmtree(place / "deep", ignore_errors=True)


def photos() -> list[bytes]:
    """Return the small files of the corpus."""
    from corpus import SAMPLES

    return [data for data in (sample.make() for sample in SAMPLES) if len(data) < 2**16]


def models() -> list[bytes]:
    """Return a small model as its two files joined, with and without parts that may be missing."""
    import numpy as np

    from facecore.face.features import Features
    from facecore.face.recipes import Recipe
    from facecore.model.classifier import FaceModel, Member

    rng = np.random.default_rng(0)
    found = []
    for labels in (("a", "b"), ("a", "b", "c")):
        outputs = 1 if len(labels) == 2 else len(labels)
        member = Member(
            minimum=np.zeros(16, np.float32),
            span=np.ones(16, np.float32),
            mean=np.zeros(16, np.float32),
            components=np.eye(2, 16, dtype=np.float16),
            deviation=np.ones(2, np.float32),
            variance=np.ones(2, np.float32),
            total_variance=3.0,
            kernel_vectors=rng.normal(size=(3, 2)).astype(np.float32),
            coefficients=rng.normal(size=(3, outputs)),
            intercept=np.zeros(outputs),
            gamma=0.1,
            features=Features("pixels", 4, 1.0),
        )
        spread = (np.zeros((len(labels), 2)), np.zeros((len(labels), 2, 2)))
        for extra in (None, spread):
            model = FaceModel(labels, (member,), np.ones(outputs), Recipe(side=4), extra)
            with tempfile.TemporaryDirectory() as folder:
                model.save(Path(folder))
                parts = [Path(folder, name).read_bytes() for name in ("model.json", "model.npz")]
            found.append(SPLIT.join(parts))
    return found


def tables() -> list[bytes]:
    """Return tables of labels, good and bad."""
    good = "path,label,subject,split,age,race\nneutral/a.jpg,neutral,s1,train,20-39,r1\n"
    return [
        *(good.encode(code) for code in ("utf-8", "utf-8-sig", "utf-16", "latin-1")),
        good.replace(",", ";").encode(),
        b"path,gender\nneutral/a.jpg,neutral\nneutral/a.jpg,smiling\n",
        b'path,label\n"neutral/a.jpg,neutral\n',
        b"path,label,label\na,b,c\n",
        b"path,label\n../a.jpg,..\n",
        b"a,b\r1,2\r",
        b"\0,\0\n",
        b"",
    ]


def archives() -> list[bytes]:
    """Return ZIPs, stored and packed, with names good and bad."""
    found = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        for names in (
            ["neutral/a.jpg", "smiling/b.jpg"],
            ["../a.jpg", "C:\\b.jpg"],
            ["labels.csv"],
            [],
        ):
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w", method) as archive:
                for name in names:
                    archive.writestr(name, b"path,label\nneutral/a.jpg,neutral\n" * 20)
            found.append(buffer.getvalue())
    return found


Target = tuple[Callable[[bytes, Path], None], Callable[[], list[bytes]]]
TARGETS: dict[str, Target] = {
    "photo": (read_photo, photos),
    "model": (read_model, models),
    "labels": (read_labels, tables),
    "zip": (read_zip, archives),
}


if __name__ == "__main__":
    sys.exit(main())
