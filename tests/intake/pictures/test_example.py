"""The example's zips are datasets, and its job is one of such datasets."""

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from app.spec.spec import JobSpec
from tests.intake.archives import take
from worker.intake.raw import IntakeLimits

EXAMPLE = Path(__file__).parents[3] / "examples" / "pictures.py"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(EXAMPLE.parent)  # as Python does for a script
    found = spec_from_file_location("pictures_example", EXAMPLE)
    assert found is not None
    assert found.loader is not None
    module = module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_example_is_taken_in(example: Any, tmp_path: Path) -> None:
    module = example
    taken = []
    for path in module.make(tmp_path):
        inside = tmp_path / path.stem
        inside.mkdir()
        files = {path.name: path.read_bytes()}
        taken.append(take(inside, files, IntakeLimits(1000, 2**22), image_size=(module.SIDE,) * 2))
    drawings, photos = taken
    assert drawings.schema.classes == photos.schema.classes == tuple(module.CORNERS)
    assert drawings.schema.inputs.shape == photos.schema.inputs.shape == (32, 32, 3)
    facts = photos.profile["pictures"]
    assert facts["files"] == {"JPEG": 81, "PNG": 39}
    assert facts["turned_by_exif"] == 39
    assert facts["other_files"] == {".DS_Store": 1}


def test_its_job_is_one() -> None:
    spec = JobSpec.model_validate(json.loads(EXAMPLE.with_suffix(".json").read_text()))
    assert spec.target.labels_per_class == 5
