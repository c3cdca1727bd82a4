"""TensorFlow Serving's REST API: rows, columns, and the status of a version."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.deployments import repository
from tests.prediction.protocols.test_native import expected, images
from tests.prediction.site import Site, problem, site_on_sqlite
from tests.prediction.ways import TENSORFLOW_SERVING as URL


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_on_sqlite(tmp_path_factory.mktemp("serving")) as site:
        site.deploy("pets", site.add_model(1, value_range=[0, 255]))
        yield site


ROWS = images(2).tolist()


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({"instances": ROWS}, "predictions"),
        ({"instances": [{"image": row} for row in ROWS]}, "predictions"),
        ({"instances": images(2)[..., 0].tolist(), "signature_name": None}, "predictions"),
        ({"inputs": ROWS, "signature_name": "serving_default"}, "outputs"),
        ({"inputs": {"image": ROWS}}, "outputs"),
    ],
)
def test_rows_are_answered_as_predictions_and_columns_as_outputs(
    site: Site, body: dict[str, Any], member: str
) -> None:
    answer = site.client.post(URL, json=body).json()
    assert answer.keys() == {member}
    for found, wanted in zip(answer[member], expected(images(2)), strict=True):
        assert found == pytest.approx(wanted, abs=1e-5)


def test_the_body_may_be_of_no_type_as_curl_sends_it(site: Site) -> None:
    for headers in ({}, {"Content-Type": "application/x-www-form-urlencoded"}):
        content = b'{"instances": %s}' % str(ROWS).encode()
        assert site.client.post(URL, content=content, headers=headers).status_code == 200


def with_one(wrong: Any) -> list[Any]:
    rows = images(2).tolist()
    rows[1] = wrong
    return rows


BAD: dict[str, tuple[Any, str, str]] = {
    "neither": ({}, "invalid_value", "#"),
    "both": ({"instances": ROWS, "inputs": ROWS}, "invalid_value", "#"),
    "no rows": ({"instances": []}, "invalid_value", "#/instances"),
    "no columns": ({"inputs": []}, "invalid_value", "#/inputs"),
    "no named columns": ({"inputs": {"image": []}}, "invalid_value", "#/inputs/image"),
    "no tensor": ({"inputs": {}}, "invalid_value", "#/inputs"),
    "signature": ({"instances": ROWS, "signature_name": "x"}, "unknown_choice", "#/signature_name"),
    "unknown": ({"instances": ROWS, "top_k": 1}, "unknown_field", "#/top_k"),
    "other rows": (
        {"instances": [{"image": ROWS[0]}, {"inputs": ROWS[1]}]},
        "invalid_value",
        "#/instances/1",
    ),
    "rows and objects": ({"instances": with_one({"image": 1})}, "ragged_inputs", "#/instances/1"),
    "bytes": ({"instances": with_one({"b64": "AAAA"})}, "ragged_inputs", "#/instances/1"),
    "named row": (
        {"instances": [{"image": row} for row in with_one([1])]},
        "ragged_inputs",
        "#/instances/1/image",
    ),
    "row": ({"inputs": with_one([1])}, "ragged_inputs", "#/inputs/1"),
    "shape": ({"inputs": ROWS[0]}, "wrong_shape", "#/inputs"),
}


@pytest.mark.parametrize(("body", "code", "pointer"), BAD.values(), ids=BAD)
def test_bad_json_is_refused_where_it_is_bad(
    site: Site, body: dict[str, Any], code: str, pointer: str
) -> None:
    found = problem(site.client.post(URL, json=body), 422, code)
    assert found["errors"][0]["pointer"] == pointer
    assert found["error"] == found["detail"]


def test_a_wrong_value_in_a_named_row_is_pointed_to(site: Site) -> None:
    array = images(2).astype(float)
    array[1, 2, 3, 0] = -7
    body = {"instances": [{"image": row} for row in array.tolist()]}
    found = problem(site.client.post(URL, json=body), 422, "out_of_range")
    assert found["errors"][0]["pointer"] == "#/instances/1/image/2/3/0"


def test_objects_in_a_large_body_are_refused_with_the_cure(site: Site) -> None:
    body = {"instances": [{"image": row} for row in images(5000).tolist()]}
    found = problem(site.client.post(URL, json=body), 422, "wrong_shape")
    assert "as nested lists" in found["detail"]


def test_nan_is_refused(site: Site) -> None:
    headers = {"Content-Type": "application/json"}
    answer = site.client.post(URL, content=b'{"instances": [[NaN]]}', headers=headers)
    problem(answer, 400, "invalid_json")


def version(site: Site, name: str) -> dict[str, Any]:
    (found,) = site.client.get(f"/v1/models/{name}").json()["model_version_status"]
    return dict(found)


def test_the_status_is_the_deployments(site: Site) -> None:
    told = {"error_code": "OK", "error_message": ""}
    assert version(site, "pets") == {"version": "1", "state": "AVAILABLE", "status": told}
    site.deploy("pets", site.add_model(1, value_range=[0, 255]))
    assert version(site, "pets")["version"] == "2"
    with site.database.write() as session:  # past the gate, as no route would
        repository.point(session, "default", "broken", site.add_model(0, trained=1))
    site.client.post("/v1/models/broken:predict", json={"instances": ROWS})  # so that it is loaded
    broken = version(site, "broken")
    assert (broken["state"], broken["status"]["error_code"]) == ("END", "FAILED_PRECONDITION")
    assert "within 0.0001" in broken["status"]["error_message"]


def test_an_id_goes_on_to_mean_a_model(site: Site) -> None:
    model = site.client.get("/v1/deployments/pets").json()["model"]
    assert site.client.get(f"/v1/models/{model}").json()["id"] == model
    problem(site.client.get("/v1/models/mdl_no"), 404, "model_not_found")
    found = problem(site.client.get("/v1/models/cars"), 404, "model_not_found")
    assert found["error"] == found["detail"]
    answer = site.client.get("/v1/models/pets", params={"limt": 1})
    problem(answer, 422, "unknown_parameter")
    problem(site.client.post("/v1/models/pets:classify", json={}), 405, "method_not_allowed")


def test_another_projects_deployment_is_not_there(site: Site) -> None:
    theirs = site.add_model(project="theirs")
    with site.database.write() as session:
        repository.point(session, "theirs", "hidden", theirs)
    problem(site.client.get("/v1/models/hidden"), 404, "model_not_found")
    answer = site.client.post("/v1/models/hidden:predict", json={"instances": ROWS})
    problem(answer, 404, "deployment_not_found")
