"""The conditions that ours and adapt's methods share on digits: files, network, seeds, steps.
Shared data in KTL_TEST_DATA or ../shared/data."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.spec.backbones import Convnet
from app.spec.network_params import ConvnetParams

DATA = Path(os.environ.get("KTL_TEST_DATA", "../shared/data"))
SEEDS, BATCH, CLASSES, HIDDEN, HELD_OUT = 3, 64, 10, 500, 0.1
SIZE = (16, 16)
NETWORK = Convnet(
    backbone="convnet", image_size=SIZE, params=ConvnetParams(filters=(32, 64), dense=256)
)
METHODS = ("dann", "cdan")  # that both have


@dataclass(frozen=True)
class Direction:
    """Epochs so that the steps are as many: 54,000 of MNIST's items are 8.2 passes over USPS's."""

    source: str
    target: str
    pretrain_epochs: int
    epochs: int  # of ours, over the target
    library_epochs: int  # of adapt's, over the larger domain; 0: adapt is left out
    resplit: bool = False  # the target's training and test items are parted anew

    @property
    def files(self) -> list[Path]:
        return [DATA / f"{domain}.npz" for domain in (self.source, self.target)]

    def uploads(self, folder: Path) -> list[Path]:
        source, target = self.files
        return [source, parted_anew(target, folder) if self.resplit else target]


DIRECTIONS = {
    "mnist_to_usps": Direction("mnist", "usps", 2, 16, 2),
    "usps_to_mnist": Direction("usps", "mnist", 16, 2, 2),
    "mnist_to_usps_resplit": Direction("mnist", "usps", 2, 16, 0, resplit=True),
}
TEST_SHARE = 0.2  # of a target that is parted anew


def parted_anew(file: Path, folder: Path) -> Path:
    """All items of a file, a fifth of them for testing, by chance."""
    with np.load(file) as stored:
        x, y = (np.concatenate([stored[f"{n}_train"], stored[f"{n}_test"]]) for n in "xy")
    order, cut = np.random.default_rng(0).permutation(len(y)), round(TEST_SHARE * len(y))
    parts = {"test": order[:cut], "train": order[cut:]}
    arrays: dict[str, Any] = {}
    for of, rows in parts.items():
        arrays |= {f"x_{of}": x[rows], f"y_{of}": y[rows]}
    path = folder / f"{file.stem}_parted_anew.npz"
    np.savez(path, **arrays)
    return path
