"""What the examples do with the service: a folder for their files, datasets of them, a job."""

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ktl import ApiError, Client, Unreachable
from ktl.answers import Job


def folder_of(name: str) -> Path:
    """The command line's folder, else a temporary one; made where it is not there."""
    given = len(sys.argv) > 1
    folder = Path(sys.argv[1] if given else tempfile.mkdtemp(prefix=f"ktl-{name}-"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def spec_of(example: str) -> dict[str, Any]:
    """The job that stands beside an example, as JSON."""
    spec: dict[str, Any] = json.loads(Path(example).with_suffix(".json").read_text())
    return spec


def uploaded(client: Client, path: Path, **spec: Any) -> str:
    """Uploads a file, waits, prints what the intake warns of, and returns the dataset's id."""
    dataset = client.datasets.upload([path], **spec)
    dataset = client.datasets.wait(dataset.id)
    print(f"{path}: {dataset.id} {dataset.status}")
    for warning in (dataset.profile or {}).get("warnings", []):
        print(f"  {warning}")
    return dataset.id


def ended(client: Client, spec: dict[str, Any]) -> Job:
    """Submits a job, waits for its end and prints why it failed, where it did."""
    job = client.jobs.submit(spec)
    for choice in job.selection:
        print(f"{choice.field}: {choice.chosen} ({choice.reason})")
    print(f"job {job.id}: {client.url}/v1/jobs/{job.id}/report")
    job = client.jobs.wait(job.id)
    if job.status != "succeeded":
        print(f"{job.status}: {job.error}")
    return job


def run(main: Callable[[], int]) -> None:
    """Ends the process as `main` says, or with the service's refusal."""
    try:
        sys.exit(main())
    except (ApiError, Unreachable) as error:
        sys.exit(str(error))
