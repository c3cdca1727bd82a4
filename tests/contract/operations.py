"""Every operation of the OpenAPI document, with the parts of a request that would do."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

PATH_VALUES = {"name": "digits"}
# Predictions look for the deployment before they ask for a body.
PREDICTING = (
    "/v1/deployments/{name}/predict",
    "/v2/models/{name}/infer",
    "/v1/models/{name}:predict",
)
ALIVE = ("GET /healthz", "GET /v2/health/live")  # they ask for no key and take nothing
ANY_ID = "job_01JD6ZB5V4T8Q0M2N9X3K7RWCE"


@dataclass(frozen=True)
class Operation:
    method: str
    template: str
    described: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}"

    @property
    def is_open(self) -> bool:
        return "security" not in self.described

    @property
    def parameters(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.described.get("parameters", [])
        return found

    @property
    def media_types(self) -> list[str]:
        return list(self.described.get("requestBody", {}).get("content", {}))

    @property
    def documented(self) -> set[int]:
        return {int(status) for status in self.described["responses"]}

    def path(self, **values: str) -> str:
        names = [each["name"] for each in self.parameters if each["in"] == "path"]
        known = {name: PATH_VALUES.get(name, ANY_ID) for name in names}
        return self.template.format(**(known | values))

    def example(self, document: dict[str, Any]) -> Any:
        """A JSON body that is right in itself; None where the operation has none."""
        content = self.described.get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            return None
        said = content["application/json"]
        if "example" in said:
            return said["example"]
        if "examples" in said:
            return next(iter(said["examples"].values()))["value"]
        name = said["schema"]["$ref"].rpartition("/")[2]
        return document["components"]["schemas"][name]["examples"][0]


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    for template, item in document["paths"].items():
        for method, described in item.items():
            yield Operation(method.upper(), template, described)
