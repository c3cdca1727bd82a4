"""A zip of pictures from the command line to a prediction, with real processes."""

import json
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.cli.conftest import Ktl, ktl  # noqa: F401  a fixture
from tests.picture_files import file_of, picture, turned, zipped
from tests.system.service import Service, running

CASES = Path(__file__).parents[3] / "shared" / "cases"
BRIGHTNESS = {"bright": 200, "dark": 40}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture
def called(service: Service, ktl: Ktl, monkeypatch: pytest.MonkeyPatch) -> Ktl:  # noqa: F811
    monkeypatch.setenv("KTL_URL", service.client.url)
    return ktl


def photos(count: int, offset: int, kind: str) -> dict[str, bytes]:
    """Of two classes that a dozen of steps tell apart."""
    return {
        f"{name}/{number}.{kind.lower()}": file_of(picture(24, value + offset + number), kind)
        for name, value in BRIGHTNESS.items()
        for number in range(count)
    }


def job(source: str, target: str, name: str) -> dict[str, object]:
    return {
        "sources": [{"dataset": source}],
        "target": {"dataset": target},
        "model": {"backbone": "mlp", "params": {"hidden": [16]}},
        "strategies": ["fine_tune"],
        "training": {"epochs": 20, "pretrain_epochs": 10, "batch_size": 8, "augmentation": None},
        "evaluation": {"seeds": 1},
        "deploy": {"name": name, "when": "always"},
    }


def test_from_two_zips_to_an_answer(service: Service, called: Ktl, tmp_path: Path) -> None:
    ids = []
    for name, files in (("drawn", photos(20, 0, "PNG")), ("taken", photos(20, 5, "JPEG"))):
        (tmp_path / f"{name}.zip").write_bytes(zipped(files))
        added = called("datasets", "add", tmp_path / f"{name}.zip", "--json")
        assert added.status == 0, added.err
        ids.append(json.loads(added.out)["id"])
    done = service.client.jobs.wait(service.client.jobs.submit(job(*ids, "light")).id)
    assert done.status == "succeeded", done.error

    (tmp_path / "night.jpg").write_bytes(turned(picture(40, 45), 6))
    (tmp_path / "day.png").write_bytes(file_of(picture(24, 210)))
    (tmp_path / "page.jpg").write_bytes(b"<html>")
    answered = called("predict", "light", tmp_path / "night.jpg", tmp_path / "day.png", "--json")
    assert answered.status == 0, answered.err
    outputs = json.loads(answered.out)["outputs"]
    assert [each["label"] for each in outputs] == ["dark", "bright"]
    refused = called("predict", "light", tmp_path / "day.png", tmp_path / "page.jpg")
    assert refused.status == 2
    assert "page.jpg: expected a picture, got a web page" in " ".join(refused.err.split())


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here")
def test_pictures_of_16_bits_are_predicted_as_they_were_trained_on(service: Service) -> None:
    path = CASES / "case_35_16_bit_grey.zip"
    client = service.client
    dataset = client.datasets.wait(client.datasets.upload([path]).id)
    spec = job(dataset.id, dataset.id, "grey16") | {
        "model": {"backbone": "convnet"},
        "training": {"epochs": 10, "pretrain_epochs": 3, "augmentation": None},
    }
    done = client.jobs.wait(client.jobs.submit(spec).id)
    assert done.status == "succeeded", done.error
    arms = client.jobs.report(done.id).arms
    assert max(arm.metrics["accuracy"].mean for arm in arms.values()) == 1.0
    with ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".png")][::5]
        folder = service.log.parent
        files = [folder / name.replace("/", "_") for name in names]
        for name, file in zip(names, files, strict=True):
            file.write_bytes(archive.read(name))
    answer = client.deployments.predict_pictures("grey16", files)
    labels = [each.label for each in answer.outputs]
    assert labels == [name.split("/")[-2] for name in names]


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here")
@pytest.mark.parametrize(
    ("case", "status", "words"),
    [
        ("31_junk", 0, "2 classes"),
        ("33_gbk_names", 0, "they were read as GB18030"),
        ("33_backslashes", 0, "2 classes"),
        ("33_composed_and_decomposed", 0, "2 classes"),
        ("37_bad_images", 1, "`cat/zero_bytes.jpg`: an empty file"),
    ],
)
def test_zips_of_bug_reports(called: Ktl, case: str, status: int, words: str) -> None:
    ended = called("datasets", "add", CASES / f"case_{case}.zip")
    assert ended.status == status
    assert words in " ".join(ended.out.split())
    assert "Traceback" not in ended.err


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here")
def test_damaged_pictures_are_left_out_when_asked(called: Ktl) -> None:
    case = CASES / "case_37_bad_images.zip"
    ended = called("datasets", "add", case, "--leave-out-unreadable")
    assert ended.status == 0
    assert "5 of 25 files cannot be read as pictures" in " ".join(ended.out.split())
