"""All that the API tells of what an installation holds, and how two such tellings differ."""

from collections.abc import Iterator
from typing import Any

import httpx

Json = Any
Told = dict[str, Json]  # path -> the answer's body; a problem's code where there is none

LISTS = ("datasets", "jobs", "models", "deployments")
OF_A_JOB = ("trials", "metrics", "report")
OF_A_DATASET = ("preview?split=train", "preview?split=test")


def everything(client: httpx.Client) -> Told:
    """Asks for each resource of the key's project, and for what hangs below it."""
    told: Told = {}
    for kind in LISTS:
        for each in (
            client.get(f"/v1/{kind}", params={"limit": 100}).raise_for_status().json()["data"]
        ):
            path = f"/v1/{kind}/{each['name' if kind == 'deployments' else 'id']}"
            below = {"jobs": OF_A_JOB, "datasets": OF_A_DATASET}.get(kind, ())
            for asked in (path, *(f"{path}/{name}" for name in below)):
                told[asked] = _answer(client.get(asked, params=_whole(asked)))
    return told


def _whole(path: str) -> dict[str, int] | None:
    return {"limit": 100} if path.endswith(("/trials", "/metrics")) else None


def _answer(answer: httpx.Response) -> Json:
    body = answer.json()
    return body if answer.is_success else {"problem": body["code"]}


OF_INPUTS = ("modality", "shape", "dtype", "value_range")


def as_now(before: Json) -> Json:
    """What an earlier release told, in the places where this one tells it: schemas and signatures
    were flat before they had `inputs` and `task`."""
    if isinstance(before, list):
        return [as_now(each) for each in before]
    if not isinstance(before, dict):
        return before
    told = {name: as_now(value) for name, value in before.items()}
    if not {"shape", "dtype", "classes"} <= told.keys():
        return told
    inputs = {name: told.pop(name) for name in OF_INPUTS if name in told}
    task = {"classes": told.pop("classes")}
    if "task" in told:
        task["kind"] = told.pop("task")
    return {**told, "inputs": inputs, "task": task}


def differences(before: Json, after: Json, path: str = "") -> Iterator[str]:
    """Says what was told before and is not told any more, or otherwise; more may be told."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name, value in before.items():
            if name in after:
                yield from differences(value, after[name], f"{path}/{name}")
            else:
                yield f"{path}/{name}: expected {value!r:.200}, got nothing"
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, f"{path}/{place}")
    elif before != after:
        yield f"{path}: expected {before!r:.200}, got {after!r:.200}"
