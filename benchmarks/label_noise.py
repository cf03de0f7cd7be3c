"""How many wrong labels, and how many pictures that are no upright face, a training points out.

Of some photos of a data set, labels are changed at random, and of some the crop is turned by 90
degrees. A model is trained as on anybody's folder, and its table of photos is asked for both.

    python benchmarks/label_noise.py FOLDER ... [--photos 600] [--share 0.05] [--seeds 2]

FOLDER is a folder of crops (from `crop`). Photos of its train split are sampled, equally many of
each label; nothing is tested.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from facecore.data import TABLE, read_table  # noqa: E402
from facecore.model import read_local_table  # noqa: E402
from facecore.training import LONELY_FROM, train  # noqa: E402

GRID = {"n_components": [50, 100], "C": [1.0, 5.0, 25.0], "gamma": [0.001, 0.005, 0.02]}


def spoil(
    crops: Path, out: Path, photos: int, share: float, seed: int
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Copy a sample of crops, with changed labels and turned pictures among them.

    Parameters
    ----------
    crops : Path
        A folder of crops.
    out : Path
        Folder to be made.
    photos : int
        Size of the sample.
    share : float
        Share of the photos whose label is changed, and of those that are turned, in [0, 1].
    seed : int
        Of the choice.

    Returns
    -------
    table : DataFrame
        The sample.
    flipped, turned : ndarray of shape (n_photos,), bool
    """
    rng = np.random.default_rng(seed)
    table = read_table(crops)
    table = table[table["state"].eq("kept") & ~table["split"].isin(["test", "val"])]
    each = photos // table["label"].nunique()
    table = table.groupby("label").sample(frac=1, random_state=seed).groupby("label").head(each)
    table = table.sort_values("path", ignore_index=True).assign(split="train")
    labels = sorted(table["label"].unique())
    order, count = rng.permutation(len(table)), round(share * len(table))
    flipped, turned = np.zeros((2, len(table)), dtype=bool)
    flipped[order[:count]], turned[order[count : 2 * count]] = True, True
    for crop in table["crop"]:
        (out / crop).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(crops / crop, out / crop)
    for crop in table.loc[turned, "crop"]:
        picture = cv2.imread(str(out / crop))
        cv2.imwrite(str(out / crop), cv2.rotate(picture, cv2.ROTATE_90_CLOCKWISE))
    wrong = [rng.choice([o for o in labels if o != own]) for own in table.loc[flipped, "label"]]
    table.loc[flipped, "label"] = wrong
    shutil.copy(crops / "crop.json", out / "crop.json")
    table.to_csv(out / TABLE, index=False)
    return table, flipped, turned


def measure(found: pd.DataFrame, flipped: np.ndarray, turned: np.ndarray) -> dict[str, Any]:
    """Compare what a training points out with what was spoilt.

    Parameters
    ----------
    found : DataFrame
        As the model stores it, in the order of the other two.
    flipped, turned : ndarray of shape (n_photos,), bool
        What was spoilt.

    Returns
    -------
    dict
        Shares in [0, 1]: ``chance``, that of the changed labels; ``first_k``, that of the changed
        among as many first suspects; ``suspects`` and ``precision``, ``recall`` of all suspects;
        the same of lonely pictures for the turned ones.
    """
    k = int(flipped.sum())
    ranks = {
        "margin": found["margin"],
        "own": found["p_label"],
        "suspected, margin": found["margin"] - 2 * found["suspected"],
    }
    first = {name: np.argsort(rank.to_numpy(), kind="stable") for name, rank in ranks.items()}
    suspected = found["suspected"].to_numpy(dtype=bool)
    lonely = found["lonely"].to_numpy()
    far = lonely > LONELY_FROM
    alone = np.argsort(-lonely, kind="stable")
    return {
        "photos": len(found),
        "changed": k,
        "chance": flipped.mean(),
        **{f"first k by {name}": flipped[order[:k]].mean() for name, order in first.items()},
        "first k/2": flipped[first["suspected, margin"][: k // 2]].mean(),
        "suspects": int(suspected.sum()),
        "precision": flipped[suspected].mean(),
        "recall": suspected[flipped].mean(),
        "wrong out of fold": int((found["label"] != found["answer"]).sum()),
        "lonely": int(far.sum()),
        "lonely turned": turned[far].mean() if far.any() else float("nan"),
        "turned found": far[turned].mean(),
        "first k lonely turned": turned[alone[: turned.sum()]].mean(),
    }


def main() -> None:
    """Measure each folder and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--recipe", default="classic")
    parser.add_argument("--photos", type=int, default=600)
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="folder for the tables of the models")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as work:
        os.environ["FACECORE_ARTIFACTS"] = str(Path(work) / "models")
        grid = Path(work) / "grid.json"
        grid.write_text(json.dumps(GRID), encoding="utf-8")
        for crops in options.folders:
            for seed in range(options.seeds):
                out = Path(work) / f"{crops.name}-{seed}"
                table, *spoilt = spoil(crops, out, options.photos, options.share, seed)
                train([out], "noisy", recipe=options.recipe, grid=str(grid), replace=True)
                found = read_local_table("photos", "noisy")
                assert found is not None and found["path"].tolist() == table["path"].tolist()
                rows.append({"set": crops.name, "seed": seed, **measure(found, *spoilt)})
                print(pd.Series(rows[-1]).to_string(), flush=True)
                if options.keep:
                    options.keep.mkdir(parents=True, exist_ok=True)
                    kept = found.assign(flipped=spoilt[0], turned=spoilt[1])
                    name = f"{crops.name}-{options.recipe}-{seed}.csv"
                    kept.to_csv(options.keep / name, index=False)
    means = pd.DataFrame(rows).groupby("set", sort=False).mean(numeric_only=True)
    print(means.drop(columns="seed").round(3).T.to_string())


if __name__ == "__main__":
    main()
