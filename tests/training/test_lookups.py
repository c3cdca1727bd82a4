"""Networks that learn rows of tables say where their bits are not the same each time."""

from typing import Any

import pytest

from app.spec.backbones import Backbone, Fusion
from app.tasks.classification import Classification
from tests.backbones.test_fusion import INPUTS, SMALL
from tests.training.test_texts import SOURCE, TARGET, spec
from tests.training.trials import spec as of_pictures
from tests.training.trials import trial
from worker.backbones.network import Architecture, Network
from worker.machine.device import Device, standing_in
from worker.training.checkpoint import Backend
from worker.training.program import program_of
from worker.training.setup import TrialSetup

CPU, GPU = Device("cpu", "CPU"), Device("gpu", "NVIDIA Stand-in", (9, 0))
FLAG = "--xla_gpu_exclude_nondeterministic_ops"


@pytest.fixture(autouse=True)
def _no_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XLA_FLAGS", raising=False)


def on_texts(arm: str) -> TrialSetup:
    return trial(
        arm, spec((arm if arm != "scratch" else "fine_tune",)), target=TARGET, source=SOURCE
    )


def notes(setup: TrialSetup, device: Device, backend: Backend) -> list[list[str]]:
    """Of each phase."""
    with standing_in(device):
        program = program_of(setup)
        of_phases = zip(program.phases, program.limits, strict=True)
        return [limits.notes(phase.name, backend) for phase, limits in of_phases]


def test_what_learns_characters_by_xla_on_a_gpu_says_so() -> None:
    ((note,),) = notes(on_texts("scratch"), GPU, "xla")
    assert note.startswith("phase finetune repeats and resumes in all but the last bits")
    assert f"XLA_FLAGS={FLAG}=true" in note


@pytest.mark.parametrize(("device", "backend"), [(GPU, "plain"), (CPU, "xla"), (CPU, "plain")])
def test_elsewhere_there_is_nothing_to_say(device: Device, backend: Backend) -> None:
    assert notes(on_texts("scratch"), device, backend) == [[]]


def test_a_phase_on_features_learns_none() -> None:
    probing, tuning = notes(on_texts("lp_ft"), GPU, "xla")
    assert probing == []
    assert len(tuning) == 1


def test_pictures_take_no_rows() -> None:
    assert notes(trial("scratch", of_pictures()), GPU, "xla") == [[]]


@pytest.mark.parametrize(
    ("flags", "is_noted"),
    [
        (f"{FLAG}=true", False),
        (f"--xla_dump_to=/tmp/x {FLAG}", False),
        ("--xla_gpu_deterministic_ops=true", False),
        (f"{FLAG}=false", True),
    ],
)
def test_flags_that_forbid_it(flags: str, is_noted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLA_FLAGS", flags)
    assert bool(notes(on_texts("scratch"), GPU, "xla")[0]) == is_noted


@pytest.mark.parametrize(("parts", "expected"), [(None, True), (("house", "front"), False)])
def test_of_several_parts_the_texts_count(parts: Any, expected: bool) -> None:
    params = SMALL | {"parts": parts}
    model: Backbone = Fusion.model_validate({"backbone": "fusion", "params": params})
    architecture = Architecture(model, INPUTS, Classification(classes=("a", "b")))
    assert Network(architecture).looks_up == expected
