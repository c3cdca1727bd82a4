"""A frozen network for the pictures of items of several parts, from a job to what is resolved."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.datasets.schemas import Schema
from app.inputs.columns import NumberColumn
from app.inputs.image import ImageInputs
from app.inputs.joined import JoinedInputs
from app.inputs.joined_part import JoinedPart
from app.inputs.photo_features import PhotoFeaturesInputs
from app.inputs.table import TableInputs
from app.inputs.text import TextInputs
from app.pretrained.choosing import recommended
from app.spec.backbones import CATALOGUE, Fusion
from app.spec.frozen_photos import thawed, weights_seen
from app.spec.memory import MemoryCase
from app.spec.pretrained import PRETRAINED
from app.spec.sources import SourceFacts
from app.tasks.classification import Classification
from tests.backbones.weights import file_of
from tests.spec.refusals import found, refusal, spec
from tests.spec.test_resolution import resolved

PHOTO = ImageInputs(shape=(40, 48, 3), dtype="uint8", value_range=(0, 255))
ROW = TableInputs(columns=(NumberColumn.fit("a", np.arange(30.0)),))
NOTE = TextInputs(length=32)
LITE0 = PRETRAINED["efficientnet_lite0:imagenet"]


def schema(**parts: Any) -> Schema:
    joined = tuple(JoinedPart(name=name, inputs=inputs) for name, inputs in parts.items())
    return Schema(
        inputs=JoinedInputs(parts=joined),
        task=Classification(classes=("a", "b")),
        splits={"train": 40, "test": 20},
        class_counts={"train": (20, 20), "test": (10, 10)},
    )


HOUSES = schema(front=PHOTO, garden=PHOTO, row=ROW)


def model(backbone: str = "efficientnet_lite0", **fields: Any) -> dict[str, Any]:
    return {"backbone": "fusion", "params": {"photos": {"backbone": backbone}}, **fields}


def test_the_network_sees_features_of_pictures_and_all_else_as_it_is() -> None:
    job, _ = resolved(SourceFacts(HOUSES), schema=HOUSES, model=model())
    assert isinstance(job.inputs, JoinedInputs)
    front, garden, row = (part.inputs for part in job.inputs.parts)
    assert isinstance(front, PhotoFeaturesInputs)
    assert (front.shape, front.weights, front.digest) == ((1280,), LITE0.reference, LITE0.digest)
    assert front.size == (128, 128)  # small pictures are shown at this
    assert garden == front
    assert isinstance(row, TableInputs)
    assert weights_seen(job.inputs) == LITE0.reference
    assert thawed(job.inputs, HOUSES.inputs) == HOUSES.inputs
    frozen = job.model.frozen
    assert frozen
    lite0 = CATALOGUE["efficientnet_lite0"].params().layers((224, 224, 3)).size
    assert frozen.convolutions == lite0.convolutions


def test_memory_counts_the_frozen_network_where_it_is_packaged() -> None:
    with_photos, plain = (
        MemoryCase(resolved(SourceFacts(HOUSES), schema=HOUSES, model=each)[0], [HOUSES], HOUSES)
        for each in (model(), {"backbone": "fusion"})
    )
    apart = with_photos._packaging().total - plain._packaging().total
    assert apart > 4 * 80 * 3_000_000  # kernels of convolutions, as they are converted


def test_pictures_are_shown_at_the_size_that_a_job_says() -> None:
    job, _ = resolved(SourceFacts(HOUSES), schema=HOUSES, model=model(image_size=[64, 96]))
    assert isinstance(job.inputs, JoinedInputs)
    front = job.inputs.parts[0].inputs
    assert isinstance(front, PhotoFeaturesInputs)
    assert front.size == (64, 96)


def test_jobs_that_do_not_ask_for_it_are_said_as_before() -> None:
    """Pretrainings have their names by what is said."""
    job, _ = resolved(SourceFacts(HOUSES), schema=HOUSES, model={"backbone": "fusion"})
    assert weights_seen(job.inputs) is None
    assert "photos" not in job.model.model_dump()["params"]
    assert job.model.frozen is None


@pytest.mark.parametrize(
    ("target", "given", "code", "pointer"),
    [
        (HOUSES, model("resnet50"), "unknown_backbone", "#/model/params/photos/backbone"),
        (schema(row=ROW, note=NOTE), model(), "no_pictures", "#/model/params/photos"),
        (
            schema(front=PHOTO.model_copy(update={"shape": (20, 20, 3)}), row=ROW),
            model(),
            "image_too_small",
            "#/model/image_size",
        ),
        (
            schema(front=PHOTO.model_copy(update={"shape": (40, 40, 4)}), row=ROW),
            model(),
            "unfit_channels",
            "#/target/dataset",
        ),
    ],
)
def test_what_does_not_fit_is_said_where_it_is(
    target: Schema, given: dict[str, Any], code: str, pointer: str
) -> None:
    problem = refusal(spec(model=given), SourceFacts(target), target=target)
    assert found(problem) == (code, [pointer])


def test_the_advice_for_small_pictures_leads_out() -> None:
    small = schema(front=PHOTO.model_copy(update={"shape": (20, 20, 3)}), row=ROW)
    job, _ = resolved(SourceFacts(small), schema=small, model=model(image_size=[64, 64]))
    assert weights_seen(job.inputs) == LITE0.reference


def test_a_model_of_such_a_network_starts_another() -> None:
    network = Fusion.model_validate(model())
    counts: dict[str, tuple[int, ...]] = {"train": (), "test": ()}
    start = HOUSES.model_copy(update={"splits": {}, "class_counts": counts})
    job, _ = resolved(SourceFacts(start, network), schema=HOUSES, model={"backbone": "auto"})
    assert weights_seen(job.inputs) == LITE0.reference


def test_a_job_of_photos_is_told_of_weights_that_are_there(tmp_path: Path) -> None:
    file_of("efficientnet_lite0")
    advice = recommended(spec(), HOUSES, tmp_path)
    assert advice is not None
    assert (advice.field, advice.chosen) == ("model.params.photos", None)
    (said,) = re.findall(r'"model": (.*)$', advice.reason)
    followed, _ = resolved(SourceFacts(HOUSES), schema=HOUSES, model=json.loads(said))
    assert weights_seen(followed.inputs) == LITE0.reference
    assert recommended(spec(model=json.loads(said)), HOUSES, tmp_path) is None
    assert recommended(spec(), schema(row=ROW, note=NOTE), tmp_path) is None
