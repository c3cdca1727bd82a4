"""The description is complete: a client can be written from it alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.main import create_app
from app.problems import MEDIA_TYPE
from app.settings import Settings
from tests.contract.operations import ALIVE

JSON = "application/json"


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder: Path = tmp_path_factory.mktemp("openapi")
    return create_app(Settings(data_dir=folder)).openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return document["components"]["schemas"][name] if name else schema


def test_every_body_has_a_worked_example(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            if media_type == JSON:
                schema = resolved(content.get("schema", {}), document)
                examples = (
                    content.get("examples") or content.get("example") or schema.get("examples")
                )
                assert examples, f"{name} has no example"


def test_every_operation_documents_its_problems(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status[0] in "45":
                schema = answer["content"][MEDIA_TYPE]["schema"]
                assert resolved(schema, document)["title"] == "Problem", name
        expected = {"403", "422"}
        if "security" in operation:
            expected |= {"401", "503"}
        if "{" in name:
            expected |= {"404"}
        if "requestBody" in operation:
            expected |= {"400", "408", "413", "415"}
        assert expected <= set(operation["responses"]), name
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_operation_has_a_known_tag_and_says_what_it_does(document: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    for name, operation in operations(document):
        assert set(operation["tags"]) <= tags, name
        assert operation["summary"], name


def test_every_operation_on_things_asks_for_a_key(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert [(scheme["type"], scheme["scheme"]) for scheme in schemes.values()] == [
        ("http", "bearer")
    ]
    for name, operation in operations(document):
        assert ("security" in operation) != (name in ALIVE), name


def test_references_lead_somewhere(document: dict[str, Any]) -> None:
    def references(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            yield from [part["$ref"]] if isinstance(part.get("$ref"), str) else []
            for value in part.values():
                yield from references(value)
        elif isinstance(part, list):
            for value in part:
                yield from references(value)

    names = {reference.rpartition("/")[2] for reference in references(document)}
    assert names <= set(document["components"]["schemas"])


def test_operation_ids_are_unique(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids))


def test_no_header_is_required(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for parameter in operation.get("parameters", []):
            assert parameter["in"] != "header" or not parameter["required"], name


def test_its_title_and_version(document: dict[str, Any]) -> None:
    assert document["info"]["title"] == "ktl"
    assert document["info"]["version"]
