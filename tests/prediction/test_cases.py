"""The public case of rows to predict (autogluon 3386, LightGBM 4102), where the cases are here."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from app.inputs.columns import CategoryColumn, NumberColumn
from app.inputs.table import ROW, TableInputs
from tests.intake.test_cases import CASES
from tests.prediction.site import Site, problem, site_on_sqlite
from tests.prediction.tables import deploy

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here")


def trained() -> TableInputs:
    with (CASES / "case_44_train.csv").open(newline="") as file:
        rows = [*csv.DictReader(file)]
    cities, counts = np.unique([row["city"] for row in rows], return_counts=True)
    return TableInputs(
        columns=(
            NumberColumn.fit("income", np.array([float(row["income"]) for row in rows])),
            CategoryColumn.fit("city", cities.tolist(), counts.tolist()),
            NumberColumn.fit("age", np.array([float(row["age"]) for row in rows])),
        )
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("case44")
    inputs = trained()
    numbers = inputs.decode(body("good")["inputs"], "#")[ROW]
    with site_on_sqlite(folder) as site:
        deploy(site, folder, inputs, numbers)
        yield site


def body(name: str) -> Any:
    return json.loads(Path(CASES, f"case_44_{name}.json").read_text())


def ask(site: Site, name: str) -> httpx.Response:
    return site.client.post("/v1/deployments/people/predict", json=body(name))


def output(site: Site, name: str) -> dict[str, Any]:
    answer = ask(site, name)
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["outputs"]
    return dict(found)


def test_good_rows_in_any_order_of_columns(site: Site) -> None:
    assert output(site, "good")["label"] == "rich"
    assert output(site, "reordered") == output(site, "good")


@pytest.mark.parametrize(
    ("name", "code", "pointer"),
    [
        ("missing_column", "missing_column", "#/inputs/0/city"),
        ("extra_column", "unknown_column", "#/inputs/0/symbol"),
        ("number_as_text", "invalid_value", "#/inputs/0/income"),
        ("one_bad_of_three", "invalid_value", "#/inputs/1/income"),
    ],
)
def test_rows_that_are_wrong_are_pointed_to(site: Site, name: str, code: str, pointer: str) -> None:
    answer = ask(site, name)
    refused = problem(answer, 422, code)
    assert refused["errors"][0]["pointer"] == pointer
    for value in ("52000", "Oslo", "n.d."):
        assert value not in answer.text


def test_a_new_category_and_what_is_missing(site: Site) -> None:
    (warning,) = ask(site, "new_category").json()["warnings"]
    assert (warning["code"], warning["pointer"]) == ("unknown_category", "#/inputs/0/city")
    assert "Kyiv" not in str(warning)
    assert "warnings" not in ask(site, "null").json()
    assert output(site, "null")["label"] == "rich"
