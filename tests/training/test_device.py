import pytest
import tensorflow as tf

from app.spec.backbones import Convnet, Mlp, Mobilenet
from tests.training.trials import SMALL, spec, trial
from worker.machine.device import (
    Device,
    configure_tensorflow,
    resolve_precision,
    standing_in,
    this_device,
)
from worker.training import program

CPU, H100, V100 = (
    Device("cpu", "CPU"),
    Device("gpu", "H100", (9, 0)),
    Device("gpu", "V100", (7, 0)),
)


def test_a_tensorflow_that_runs_already_keeps_its_threads() -> None:
    tf.constant(1)
    settled = configure_tensorflow()
    assert settled >= 1
    assert configure_tensorflow(settled + 1) == settled


def test_the_device_is_what_tensorflow_sees() -> None:
    has_gpu = bool(tf.config.list_physical_devices("GPU"))
    assert this_device().is_gpu == has_gpu


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        (CPU, ["float32"] * 3),
        (V100, ["float32"] * 3),
        (H100, ["float32", "mixed_bfloat16", "float32"]),
    ],
    ids=lambda each: each.name if isinstance(each, Device) else "",
)
def test_bfloat16_where_it_pays(device: Device, expected: list[str]) -> None:
    models = (Mlp(backbone="mlp"), Convnet(backbone="convnet"), Mobilenet(backbone="mobilenet"))
    with standing_in(device):
        assert [resolve_precision("auto", model) for model in models] == expected
        assert {resolve_precision("float32", model) for model in models} == {"float32"}
        assert {resolve_precision("mixed_bfloat16", model) for model in models} == {
            "mixed_bfloat16"
        }


@pytest.mark.parametrize(
    ("backbone", "arm", "steps", "on_cpu", "on_gpu"),
    [
        ("mlp", "scratch", 499, "plain", "plain"),
        ("mlp", "scratch", 500, "plain", "xla"),
        ("mlp", "scratch", 1000, "xla", "xla"),
        ("convnet", "scratch", 500, "plain", "xla"),
        ("convnet", "scratch", 100_000, "plain", "xla"),
        ("convnet", "linear_probe", 500, "plain", "xla"),
        ("convnet", "linear_probe", 4000, "xla", "xla"),
    ],
)
@pytest.mark.parametrize("augmentation", [None, {"strength": "strong"}], ids=["", "augmented"])
def test_xla_where_it_pays(
    backbone: str, arm: str, steps: int, on_cpu: str, on_gpu: str, augmentation: object
) -> None:
    """By network, length and device, whether images are changed or not."""
    job = spec(
        backbone,
        SMALL[backbone],
        epochs=1,
        max_epochs=1,
        strategies=("fine_tune", "linear_probe"),
        augmentation=augmentation,
    )
    made = program.program_of(trial(arm, job))
    for device, expected in ((CPU, on_cpu), (H100, on_gpu)):
        with standing_in(device):
            chosen = program.choose_backend(made.phases[0], made.network, steps, trials=1)
            assert chosen == expected


def test_a_network_that_compiles_slowly_is_compiled_for_longer_runs_only() -> None:
    job = spec("mobilenet", {"width": 0.35}, image_size=(32, 32), epochs=1)
    made = program.program_of(trial("scratch", job))
    with standing_in(H100):
        backends = [
            program.choose_backend(made.phases[0], made.network, steps, trials=1)
            for steps in (1999, 2000)
        ]
    assert backends == ["plain", "xla"]
