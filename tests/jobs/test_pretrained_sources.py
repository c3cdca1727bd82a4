"""Pretrained weights as sources: named, chosen, refused. Nothing of them is read by the API."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.database import Database
from app.pretrained import choosing
from app.settings import Settings
from app.spec.pretrained import PRETRAINED
from tests.jobs.requests import dataset, problem, spec

NAMES = [each.backbone for each in PRETRAINED.values()]
IMAGENET = {"backbone": "efficientnet_lite0", "weights": "imagenet"}
PHOTOS: dict[str, Any] = {"shape": (32, 32, 3)}
Install = Callable[..., None]

# What is asked of the database here is asked of both by tests/jobs/test_router.py.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """`install("efficientnet_lite0")`: of all weights those alone are there, as files of the right
    size with nothing in them."""

    def install(*backbones: str) -> None:
        moved = {}
        for reference, weights in PRETRAINED.items():
            moved[reference] = replace(weights, module=f"stand_in_{weights.module}")
            if weights.backbone in backbones:
                file = tmp_path / f"stand_in_{weights.module}" / weights.file
                file.parent.mkdir(parents=True)
                (tmp_path / f"stand_in_{weights.module}" / "__init__.py").touch()
                with file.open("wb") as empty:
                    empty.truncate(weights.bytes)
        for reference, weights in moved.items():
            monkeypatch.setitem(PRETRAINED, reference, weights)
        monkeypatch.syspath_prepend(tmp_path)

    return install


@pytest.fixture
def photos(database: Database) -> dict[str, Any]:
    """A job from ImageNet to photos."""
    body = spec("", dataset(database, **PHOTOS), sources=[IMAGENET], strategies=["lp_ft"])
    return {name: value for name, value in body.items() if name != "model"}


def test_a_job_from_imagenet(
    client: httpx.Client, photos: dict[str, Any], install: Install
) -> None:
    install(*NAMES)
    plan = client.post("/v1/jobs:validate", json=photos).json()
    assert [(trial["role"], trial["arm"]) for trial in plan["trials"]] == [
        ("baseline", "scratch"),
        ("transfer", "lp_ft"),
    ]
    assert plan["spec"]["model"]["backbone"] == "efficientnet_lite0"
    assert plan["spec"]["model"]["image_size"] == [128, 128]
    assert plan["spec"]["training"]["batch_size"] == 16
    chosen = {each["field"]: each for each in plan["selection"]}
    assert chosen["model.image_size"]["chosen"] == [128, 128]
    assert plan["domain_distance"] == [None]
    assert plan["spec"]["strategies"][0]["params"]["l2"] == 0.1
    assert plan["spec"]["strategies"][0]["params"]["head_learning_rate"] == 0.001
    assert chosen["strategies.lp_ft.params.l2"]["chosen"] == 0.1
    own = {"name": "lp_ft", "params": {"l2": 0}}
    plan = client.post("/v1/jobs:validate", json={**photos, "strategies": [own]}).json()
    assert plan["spec"]["strategies"][0]["params"]["l2"] == 0
    answer = client.post("/v1/jobs", json=photos)
    assert answer.status_code == 202, answer.text
    assert answer.json()["sources"] == ["efficientnet_lite0:imagenet"]
    assert answer.json()["name"] == "efficientnet_lite0:imagenet to letters"


def test_strategies_that_need_data_or_classes_are_refused_by_name(
    client: httpx.Client, photos: dict[str, Any], install: Install
) -> None:
    install(*NAMES)
    plan = client.post("/v1/jobs:validate", json=photos).json()
    able = {each["name"] for each in plan["strategies"] if each["reason"] is None}
    assert able == {"linear_probe", "fine_tune", "lp_ft", "l2_sp", "co_tuning"}
    found = client.post("/v1/jobs", json={**photos, "strategies": ["multi_task", "distill"]})
    said = problem(found, 422, "needs_source_data")
    assert [each["pointer"] for each in said["errors"]] == ["#/strategies/0", "#/strategies/1"]
    assert said["errors"][0]["detail"].startswith("multi_task: expected the source's data")
    assert "1000 classes are those that its weights were trained on" in said["errors"][1]["detail"]


def test_without_target_labels_nothing_applies(
    client: httpx.Client, photos: dict[str, Any], install: Install
) -> None:
    install(*NAMES)
    target = {**photos["target"], "use_labels": False}
    found = client.post("/v1/jobs", json={**photos, "target": target, "strategies": ["auto"]})
    problem(found, 422, "label_space_mismatch")


def test_auto_takes_weights_that_are_there_and_says_so(
    client: httpx.Client, photos: dict[str, Any], install: Install
) -> None:
    install("efficientnet_lite1", "efficientnet_lite2")
    auto = {"backbone": "auto", "weights": "imagenet"}
    plan = client.post("/v1/jobs:validate", json={**photos, "sources": [auto]}).json()
    assert plan["spec"]["sources"][0]["backbone"] == "efficientnet_lite1"
    assert plan["selection"][0]["field"] == "sources.0.backbone"
    assert plan["selection"][0]["chosen"] == "efficientnet_lite1"
    assert "that are there" in plan["selection"][0]["reason"]


def test_auto_says_that_imagenet_is_there_for_photos(
    client: httpx.Client, database: Database, install: Install
) -> None:
    install("efficientnet_lite0")

    def said(target: str, **changes: Any) -> list[str]:
        body = {**spec(target, target, strategies=["auto"]), "model": {}, **changes}
        plan = client.post("/v1/jobs:validate", json=body).json()
        return [each["reason"] for each in plan["selection"] if each["field"] == "sources"]

    photos = dataset(database, **PHOTOS)
    (reason,) = said(photos)
    assert '{"backbone": "efficientnet_lite0", "weights": "imagenet"} among the sources' in reason
    assert said(photos, strategies=["lp_ft"]) == []
    assert said(photos, sources=[IMAGENET]) == []
    assert said(dataset(database, shape=(32, 32, 1))) == []
    assert said(dataset(database, shape=(28, 28, 3))) == []


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/jobs:validate"])
@pytest.mark.parametrize("name", ["efficientnet_lite0", "auto"])
def test_weights_that_are_not_there(
    client: httpx.Client, photos: dict[str, Any], install: Install, path: str, name: str
) -> None:
    install()
    sources = [{"backbone": name, "weights": "imagenet"}]
    said = problem(
        client.post(path, json={**photos, "sources": sources}), 422, choosing.UNAVAILABLE
    )
    assert "`pip install 'ktl[vision]'`" in said["detail"]
    assert said["errors"][0]["pointer"] == "#/sources/0/backbone"


@pytest.mark.parametrize("name", ["resnet50", "mlp", "<script>", "x" * 100])
def test_a_name_without_weights(
    client: httpx.Client, photos: dict[str, Any], install: Install, name: str
) -> None:
    install(*NAMES)
    sources = [{"backbone": name, "weights": "imagenet"}]
    said = problem(
        client.post("/v1/jobs", json={**photos, "sources": sources}), 422, "unknown_backbone"
    )
    assert "efficientnet_lite0" in said["detail"]
    assert name not in said["detail"]


@pytest.mark.parametrize(
    "source",
    [
        {"backbone": "efficientnet_lite0"},
        {"weights": "imagenet"},
        {"backbone": "efficientnet_lite0", "weights": "cifar"},
        {**IMAGENET, "dataset": "ds_1"},
        {**IMAGENET, "model": "mdl_1"},
        {"backbone": "", "weights": None},
        {"backbone": "x" * 101, "weights": "imagenet"},
    ],
)
def test_half_a_source(
    client: httpx.Client, photos: dict[str, Any], source: dict[str, Any]
) -> None:
    answer = client.post("/v1/jobs", json={**photos, "sources": [source]})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"].startswith("#/sources/0")


def test_the_network_must_be_the_weights_own(
    client: httpx.Client, photos: dict[str, Any], install: Install
) -> None:
    install(*NAMES)
    for model in ({"backbone": "convnet"}, {"backbone": "efficientnet_lite1"}, {"bottleneck": 8}):
        said = problem(
            client.post("/v1/jobs", json={**photos, "model": model}), 422, "weights_do_not_fit"
        )
        assert said["errors"][0]["pointer"] == "#/sources/0/backbone"
    for model in ({"backbone": "efficientnet_lite0"}, {"image_size": [64, 96]}):
        plan = client.post("/v1/jobs:validate", json={**photos, "model": model}).json()
        assert plan["spec"]["model"]["image_size"] == model.get("image_size", [128, 128])
    said = problem(
        client.post("/v1/jobs", json={**photos, "model": {"image_size": [16, 16]}}),
        422,
        "image_too_small",
    )
    assert said["errors"][0]["pointer"] == "#/model/image_size"


def test_pictures_of_four_channels(
    client: httpx.Client, database: Database, photos: dict[str, Any], install: Install
) -> None:
    install(*NAMES)
    target = {"dataset": dataset(database, shape=(32, 32, 4))}
    problem(client.post("/v1/jobs", json={**photos, "target": target}), 422, "unfit_channels")


def test_imagenet_beside_a_dataset_of_ones_own(
    client: httpx.Client, database: Database, photos: dict[str, Any], install: Install
) -> None:
    install(*NAMES)
    own = {"dataset": dataset(database, shape=(48, 48, 3), classes=("x", "y", "z"))}
    body = {**photos, "sources": [own, IMAGENET], "kind": "rank"}
    plan = client.post("/v1/jobs:validate", json=body).json()
    assert [(trial["role"], trial["arm"]) for trial in plan["trials"]] == [
        ("pretrain", "pretrain@1"),
        ("score", "score@1"),
        ("score", "score@2"),
    ]
    assert plan["spec"]["model"]["backbone"] == "efficientnet_lite0"
    twice = {**photos, "sources": [IMAGENET, {"backbone": "auto", "weights": "imagenet"}]}
    problem(client.post("/v1/jobs", json=twice), 422, "repeated_source")
    joint = {**photos, "sources": [own, IMAGENET], "combine": "joint"}
    problem(client.post("/v1/jobs", json=joint), 422, "cannot_join")


def test_the_catalogue_says_what_is_there(
    client: httpx.Client, install: Install, api_settings: Settings
) -> None:
    install("efficientnet_lite0")
    found = {each["name"]: each for each in client.get("/v1/catalog/backbones").json()["data"]}
    lite0, lite1 = found["efficientnet_lite0"], found["efficientnet_lite1"]
    assert lite0["modality"] == "image"
    assert (lite0["weights"], lite0["source"], lite0["licence"]) == (
        *("imagenet", "package", "Apache-2.0"),
    )
    assert lite0["bytes"] == 18826032
    assert lite0["sha256"].startswith("579344248a93e230")
    assert (lite0["available"], lite0["how"]) == ("installed", None)
    assert (lite1["available"], lite1["how"]) == ("missing", "pip install 'ktl[vision]'")
    mlp = found["mlp"]
    assert (mlp["weights"], mlp["source"], mlp["available"]) == (None, "none", "installed")
