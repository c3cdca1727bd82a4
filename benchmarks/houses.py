"""Houses by their rooms and by their photos, together and each alone: R2 of the log price.

    python -m benchmarks.houses              (photos through a frozen network, 3 seeds)
    python -m benchmarks.houses 1            (1 seed)
    python -m benchmarks.houses pictures 1   (photos as pictures, a convnet from random weights)
    python -m benchmarks.houses components 1 (principal components of a frozen network's features)

535 houses (Ahmed & Moustafa, 2016), four photos each, bedrooms, bathrooms and area, without the zip
code. Five folds; columns and principal components are fitted on each one's training rows. All arms
are the backbone `fusion`, trained as a job's scratch arm is: on all parts, and with
`model.params.parts` on one alone. The frozen network is efficientnet_lite0 with ImageNet's weights
at 128x128, as `model.params.photos` has it, and takes two minutes of a core; `components`: the
first 30 principal components of what it says of the four photos, as numbers of a row. Beside it
what is left when the network of all parts is asked without one. Shared data in KTL_TEST_DATA or
../shared/data, and the extra `vision`.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

from app.datasets.schemas import Schema
from app.inputs.columns import NumberColumn
from app.inputs.image import ImageInputs
from app.inputs.joined import JoinedInputs
from app.inputs.joined_part import JoinedPart
from app.inputs.photo_features import PhotoFeaturesInputs
from app.inputs.table import TableInputs
from app.settings import Settings
from app.spec.backbones import CATALOGUE
from app.spec.pretrained import PRETRAINED
from app.tasks.regression import Regression
from benchmarks.tables import Journal, spec
from worker.evaluation.statistics import mean_interval
from worker.objectives import objective_of
from worker.training.data import Domain, Split
from worker.training.items import Items
from worker.training.predict import outputs_of
from worker.training.run import train
from worker.trials.engine_setup import engine_setup

Array = NDArray[Any]
DATA = Path(os.environ.get("KTL_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
FOLDS, COMPONENTS, SIDE, BATCH = 5, 30, 128, 64
LITE0 = "efficientnet_lite0:imagenet"
VIEWS = ("frontal", "kitchen", "bedroom", "bathroom")
ROOMS = ("bedrooms", "bathrooms", "area")
WANTED = 0.51
# Of the training of all parts: CHANGED='{"parts_alone": 0}' in the environment tries others.
CHANGED: dict[str, float] = json.loads(os.environ.get("CHANGED", "{}"))
R2 = (-np.inf, 1.0)
# Of `photos`: PHOTOS='{"backbone": "efficientnet_lite0", "dropout": 0}' tries others.
PHOTOS: dict[str, Any] = json.loads(os.environ.get("PHOTOS", '{"backbone": "efficientnet_lite0"}'))


def said_of_photos(images: Array) -> Array:
    """(houses, views, height, width, 3) -> (houses, views * 1280), float32."""
    from worker.backbones.network import Architecture, Network
    from worker.backbones.pretrained import weights_file

    weights = PRETRAINED[LITE0]
    inputs = ImageInputs(shape=images.shape[2:], dtype="uint8", value_range=(0, 255))
    network = Network(
        Architecture(weights.network((SIDE, SIDE)), inputs, Regression(mean=0.0, std=1.0))
    )
    network.load_backbone(weights_file(weights, Settings().cache_dir))
    flat = images.reshape(-1, *images.shape[2:]).astype(np.float32)
    found = [
        network.compiled_features({"image": flat[at : at + BATCH]}).numpy()
        for at in range(0, len(flat), BATCH)
    ]
    return np.concatenate(found).reshape(len(images), -1)


def numbers(names: tuple[str, ...], rows: Array, learnt: Array) -> TableInputs:
    columns = (
        NumberColumn.fit(name, rows[learnt, place].astype(np.float64))
        for place, name in enumerate(names)
    )
    return TableInputs(columns=tuple(columns))


def fold_of(
    rooms: Array, photos: Array, learnt: Array, is_frozen: bool
) -> tuple[JoinedInputs, dict[str, Array]]:
    """Parts as the training rows `learnt` teach them, and all items."""
    parts = [JoinedPart(name="house", inputs=numbers(ROOMS, rooms, learnt))]
    items: dict[str, Array] = {"house.row": rooms.astype(np.float32)}
    if is_frozen:
        said = photos.reshape(len(photos), len(VIEWS), -1)
        seen = PhotoFeaturesInputs(
            shape=(said.shape[2],),
            value_range=None,
            weights=LITE0,
            digest=PRETRAINED[LITE0].digest,
            size=(SIDE, SIDE),
        )
        for place, view in enumerate(VIEWS):
            parts.append(JoinedPart(name=view, inputs=seen))
            items[f"{view}.features"] = said[:, place]
            items[f"{view}.present"] = np.ones(len(photos), np.uint8)
        return JoinedInputs(parts=tuple(parts)), items
    if photos.ndim == 2:
        scaler = StandardScaler().fit(photos[learnt])
        scaled = scaler.transform(photos)
        said = PCA(COMPONENTS, random_state=0).fit(scaled[learnt]).transform(scaled)
        names = tuple(f"said {number}" for number in range(COMPONENTS))
        parts.append(JoinedPart(name="photos", inputs=numbers(names, said, learnt)))
        items["photos.row"] = said.astype(np.float32)
        return JoinedInputs(parts=tuple(parts)), items
    picture = ImageInputs(shape=photos.shape[2:], dtype="uint8", value_range=(0, 255))
    for place, view in enumerate(VIEWS):
        parts.append(JoinedPart(name=view, inputs=picture))
        items[f"{view}.image"] = photos[:, place]
        items[f"{view}.present"] = np.ones(len(photos), np.uint8)
    return JoinedInputs(parts=tuple(parts)), items


def trained(
    inputs: JoinedInputs,
    items: Items,
    y: Array,
    parts: tuple[str, ...] | None,
    seed: int,
    params: dict[str, Any],
) -> Any:
    """A network that has learnt from these items, a tenth of them held out."""
    task = Regression(mean=float(y.mean()), std=float(y.std()))
    schema = Schema(
        inputs=inputs,
        task=task,
        splits={"train": len(y), "test": 0},
        class_counts={"train": (len(y),), "test": (0,)},
    )
    alone = {"hidden_parts": 0.0, "parts_alone": 0.0} if parts else CHANGED
    recipe = {**CATALOGUE["fusion"].recipe, **alone}
    params = {**params, "parts": parts} if parts else params
    job = spec({"backbone": "fusion", "params": params}, recipe)
    order = np.random.default_rng(seed).permutation(len(y))
    held_out, rows = np.sort(order[: len(y) // 10]), np.sort(order[len(y) // 10 :])
    split = Split.stored(items, y.astype(np.float32))
    job = job.model_copy(update={"task": "regression", "training": job.training.on(len(rows))})
    target = Domain(schema, split.select(rows), split.select(held_out))
    return train(engine_setup(job, "baseline", None, seed, target), Journal())


def r2(y: Array, said: Array) -> float:
    return float(1 - ((y - said) ** 2).sum() / ((y - y.mean()) ** 2).sum())


def answers(network: Any, task: Regression, items: Items) -> Array:
    return np.asarray(objective_of(task).activate(outputs_of(network, items)))[:, 0]


def main() -> None:
    asked = sys.argv[1:]
    seeds = int(asked[-1]) if asked and asked[-1].isdigit() else 3
    file = DATA / "houses_image_tabular_small.npz"
    if not file.exists():
        print(f"left out: there is no {file}")
        return
    with np.load(file, allow_pickle=False) as held:
        images, rooms = held["images"], held["tabular"][:, : len(ROOMS)]
        y = np.log(held["price_usd"].astype(np.float64))
    photos = images if "pictures" in asked else said_of_photos(images)
    is_frozen = not {"pictures", "components"} & {*asked}
    params: dict[str, Any] = {"photos": PHOTOS} if is_frozen else {}
    arms: dict[str, tuple[str, ...] | None] = {
        "rooms": ("house",),
        "photos": ("photos",) if "components" in asked else VIEWS,
        "fusion": None,
    }
    found: dict[str, list[float]] = {}
    for learnt, tested in KFold(FOLDS, shuffle=True, random_state=0).split(y):
        inputs, items = fold_of(rooms, photos, learnt, is_frozen)
        task = Regression(mean=float(y[learnt].mean()), std=float(y[learnt].std()))
        of_train, of_test = (
            {name: values[rows] for name, values in items.items()} for rows in (learnt, tested)
        )
        for seed in range(seeds):
            for arm, parts in arms.items():
                network = trained(inputs, Items.of(of_train), y[learnt], parts, seed, params)
                said = answers(network, task, Items.of(of_test))
                found.setdefault(arm, []).append(r2(y[tested], said))
                if parts is not None:
                    continue
                for name, hidden in (("rooms", ("house",)), ("photos", arms["photos"] or ())):
                    left = Items.of(inputs.without(of_test, hidden))
                    value = r2(y[tested], answers(network, task, left))
                    found.setdefault(f"fusion without {name}", []).append(value)
        shown = {arm: round(float(np.mean(values)), 3) for arm, values in found.items()}
        print(json.dumps(shown), flush=True)
    for arm in ("rooms", "photos"):
        gain = np.subtract(found["fusion"], found[arm])
        by_fold = gain.reshape(FOLDS, seeds).mean(axis=1)  # seeds of a fold share its test items
        interval = mean_interval(by_fold, 0.95, (-np.inf, np.inf))
        print(
            f"fusion over {arm}: {gain.mean():+.3f}, 95 % [{interval.low:+.3f}, "
            f"{interval.high:+.3f}], ahead in {int((gain > 0).sum())} of {len(gain)}"
        )
    figures = {arm: round(float(np.mean(values)), 4) for arm, values in found.items()}
    print(json.dumps({"benchmark": "houses", "wanted": WANTED, "figures": figures}))


if __name__ == "__main__":
    main()
