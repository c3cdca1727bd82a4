"""Jobs on tables: what they become, and what of pictures is refused."""

from typing import Any

import httpx
import pytest

from app.database import Database
from app.datasets.schemas import Schema
from app.spec.backbones import CATALOGUE
from app.tables.datasets import DatasetRow
from app.tasks.classification import Classification
from tests.inputs.tables import TABLE
from tests.jobs.factories import add_dataset
from tests.jobs.requests import LOCAL, problem, spec

SCHEMA = Schema(
    inputs=TABLE,
    task=Classification(classes=("healthy", "sick")),
    splits={"train": 40, "test": 20},
    class_counts={"train": (20, 20), "test": (10, 10)},
)


@pytest.fixture
def tables(database: Database) -> dict[str, Any]:
    """A job between two tables, of which one lacks values, that leaves the network open."""
    found = []
    for misses in (False, True):
        found.append(add_dataset(database, project=LOCAL))
        columns = tuple(c.model_copy(update={"misses": misses}) for c in TABLE.columns)
        inputs = TABLE.model_copy(update={"columns": columns})
        with database.write() as session:
            row = session.get_one(DatasetRow, found[-1])
            row.schema = SCHEMA.model_copy(update={"inputs": inputs}).model_dump(mode="json")
    return spec(*found, model={}, training={})


def test_auto_takes_tabm_and_says_what_it_is_trained_with(
    client: httpx.Client, tables: dict[str, Any]
) -> None:
    answer = client.post("/v1/jobs:validate", json=tables)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    chosen = {choice["field"]: choice for choice in found["selection"]}
    assert chosen["model.backbone"]["chosen"] == "tabm"
    assert "table" in chosen["model.backbone"]["reason"]
    assert CATALOGUE["tabm"].recipe
    for name, value in CATALOGUE["tabm"].recipe.items():
        assert chosen[f"training.{name}"]["chosen"] == value
        told = found["spec"]["training"][name]
        assert ({**told, **value} if isinstance(value, dict) else value) == told
    assert found["spec"]["model"]["backbone"] == "tabm"


def test_training_stops_early_where_there_is_enough_to_stop_by(
    client: httpx.Client, database: Database, tables: dict[str, Any]
) -> None:
    large = SCHEMA.model_copy(
        update={
            "splits": {"train": 400, "test": 20},
            "class_counts": {"train": (200, 200), "test": (10, 10)},
        }
    )
    with database.write() as session:
        row = session.get_one(DatasetRow, tables["target"]["dataset"])
        row.schema = large.model_dump(mode="json")
    found = client.post("/v1/jobs:validate", json=tables).json()
    assert found["spec"]["training"]["early_stopping"]["patience"] == 16
    assert found["spec"]["training"]["early_stopping"]["min_items"] == 20
    own = {"early_stopping": {"patience": 3}}
    found = client.post("/v1/jobs:validate", json={**tables, "training": own}).json()
    assert found["spec"]["training"]["early_stopping"]["patience"] == 3


def test_what_a_job_says_stands(client: httpx.Client, tables: dict[str, Any]) -> None:
    given = {"optimizer": "sgd", "learning_rate": 0.5}
    found = client.post("/v1/jobs:validate", json={**tables, "training": given}).json()
    assert {name: found["spec"]["training"][name] for name in given} == given
    assert not {f"training.{name}" for name in given} & {c["field"] for c in found["selection"]}


@pytest.mark.parametrize("backbone", ["mlp", "tabm", "ft_transformer"])
def test_every_network_for_tables_is_taken(
    client: httpx.Client, tables: dict[str, Any], backbone: str
) -> None:
    model = {"backbone": backbone}
    answer = client.post("/v1/jobs:validate", json={**tables, "model": model})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("change", "code", "pointer", "said"),
    [
        (
            {"model": {"backbone": "convnet"}},
            "backbone_does_not_fit",
            "#/model/backbone",
            "expected a backbone for tables (mlp, tabm, ft_transformer), got convnet",
        ),
        ({"model": {"image_size": [8, 8]}}, "not_a_picture", "#/model/image_size", "no sides"),
        (
            {"training": {"augmentation": {"mirror": True}}},
            "not_a_picture",
            "#/training/augmentation/mirror",
            "no left and right",
        ),
        (
            {"model": {"backbone": "ft_transformer", "params": {"width": 30}}},
            "invalid_value",
            "#/model/params",
            "8 heads",
        ),
        (
            {"model": {"backbone": "tabm", "params": {"members": 1}}},
            "invalid_value",
            "#/model/params/members",
            "2",
        ),
    ],
)
def test_what_does_not_go_with_a_table(
    client: httpx.Client,
    tables: dict[str, Any],
    change: dict[str, Any],
    code: str,
    pointer: str,
    said: str,
) -> None:
    for path in ("/v1/jobs", "/v1/jobs:validate"):
        found = problem(client.post(path, json={**tables, **change}), 422, code)
        assert [error["pointer"] for error in found["errors"]] == [pointer]
        assert said in found["errors"][0]["detail"]


@pytest.mark.parametrize("backbone", ["tabm", "ft_transformer"])
def test_networks_for_tables_take_no_pictures(
    client: httpx.Client, body: dict[str, Any], backbone: str
) -> None:
    answer = client.post("/v1/jobs", json={**body, "model": {"backbone": backbone}})
    found = problem(answer, 422, "backbone_does_not_fit")
    assert "expected a backbone for images" in found["detail"]
    assert f"got {backbone}, which is for tables" in found["detail"]


def test_a_picture_and_a_table_share_no_network(
    client: httpx.Client, database: Database, tables: dict[str, Any]
) -> None:
    picture = add_dataset(database, project=LOCAL)
    problem(
        client.post("/v1/jobs", json={**tables, "target": {"dataset": picture}}),
        422,
        "shape_mismatch",
    )


def test_the_catalogue_says_what_a_network_is_for_and_trained_with(client: httpx.Client) -> None:
    found = {each["name"]: each for each in client.get("/v1/catalog/backbones").json()["data"]}
    assert found["tabm"]["modality"] == "table"
    assert found["tabm"]["training"]["optimizer"] == "adamw"
    assert found["convnet"]["modality"] == "image"
    assert found["mlp"] == {**found["mlp"], "modality": None, "training": {}}
