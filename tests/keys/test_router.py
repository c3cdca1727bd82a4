from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.main import create_app
from app.migrate import upgrade
from app.settings import Settings
from tests.serving import serve


@pytest.fixture
def client(database_url: str, tmp_path: Path) -> Iterator[httpx.Client]:
    upgrade(database_url)
    with serve(create_app(Settings(data_dir=tmp_path, database_url=database_url))) as client:
        yield client


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_a_key_from_its_making_to_its_end(client: httpx.Client) -> None:
    made = client.post("/v1/keys", json={"name": "root", "scopes": ["admin"]})
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    root = bearer(made.json()["key"])
    assert client.get("/v1/keys").status_code == 401  # at once: a key exists now

    spec = {"name": "ci", "scopes": ["read"], "project": "alice"}
    other = client.post("/v1/keys", json=spec, headers=root).json()
    listed = client.get("/v1/keys", headers=root).json()
    assert [key["id"] for key in listed["data"]] == [other["id"], made.json()["id"]]
    assert not {"key", "secret_hash"} & set(listed["data"][0])

    refused = client.get("/v1/keys", headers=bearer(other["key"]))
    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")
    assert client.get("/v1/jobs", headers=bearer(other["key"])).status_code == 200

    for _ in range(2):  # the same call again answers the same
        assert client.delete(f"/v1/keys/{other['id']}", headers=root).status_code == 204
    gone = client.get("/v1/jobs", headers=bearer(other["key"]))
    assert (gone.status_code, gone.json()["code"]) == (401, "unknown_key")
    assert client.delete("/v1/keys/key_x", headers=root).json()["code"] == "key_not_found"


def test_lists_come_in_pages_that_new_rows_do_not_shift(client: httpx.Client) -> None:
    ids = []
    headers: dict[str, str] = {}
    for number in range(5):
        spec = {"name": f"{number}", "scopes": ["admin"]}
        made = client.post("/v1/keys", json=spec, headers=headers).json()
        headers = headers or bearer(made["key"])
        ids.append(made["id"])
    first = client.get("/v1/keys", params={"limit": 2}, headers=headers).json()
    client.post("/v1/keys", json={"name": "new", "scopes": ["read"]}, headers=headers)
    seen, page = [key["id"] for key in first["data"]], first
    while page["has_more"]:
        params = {"limit": "2", "after": page["next"]}
        page = client.get("/v1/keys", params=params, headers=headers).json()
        seen += [key["id"] for key in page["data"]]
    assert sorted(seen) == sorted(ids)
    assert page["next"] is None


@pytest.mark.parametrize("after", ["x", "job_1", "job_01M86BT3JTAHFF1TTRQHCAG07X'"])
def test_a_bad_cursor_is_named(client: httpx.Client, after: str) -> None:
    refused = client.get("/v1/keys", params={"after": after})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["parameter"] == "after"


def test_a_wrong_spec_is_named(client: httpx.Client) -> None:
    refused = client.post("/v1/keys", json={"name": "x", "scopes": ["root"]})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "#/scopes/0"
