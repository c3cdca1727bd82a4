"""Estimates of memory, held against what was measured."""

from typing import Any

import pytest

from app.datasets.schemas import Schema
from app.inputs.image import ImageInputs
from app.spec.memory import COPIES_OF_DATA, MIB, MemoryCase, Need
from app.spec.plan import plan
from app.spec.spec import ResolvedSpec
from app.tasks.classification import Classification
from tests.jobs.factories import SCHEMA
from tests.schemas import changed

CLASSES = tuple("abcdefghij")


def need(
    shape: tuple[int, int, int], arm: str = "scratch", items: int = 1000, **fields: Any
) -> Need:
    """Of one arm, or of packaging."""
    fields = {"strategies": [arm if arm != "scratch" else "fine_tune"], **fields}
    spec = ResolvedSpec.model_validate(
        {
            "sources": [{"dataset": "ds_1"}],
            "target": {"dataset": "ds_2", "use_labels": arm not in {"dann", "adamatch", "cdan"}},
            "classes": CLASSES,
            **fields,
            "strategies": [{"name": name} for name in fields["strategies"]],
        }
    )
    schema = Schema(
        inputs=ImageInputs(shape=shape, dtype="uint8", value_range=(0, 255)),
        task=Classification(classes=CLASSES),
        splits={"train": items, "test": 10},
        class_counts={"train": (items // 10,) * 10, "test": (1,) * 10},
    )
    trials = [trial for trial in plan(spec) if trial.arm == arm]
    return MemoryCase(spec, [schema], schema).need(trials)


def mlp(*hidden: int) -> dict[str, Any]:
    return {"backbone": "mlp", "params": {"hidden": hidden}}


CONVNET, MOBILENET = {"backbone": "convnet"}, {"backbone": "mobilenet"}
SOME = {"backbone": "convnet", "params": {"filters": [64, 128, 256]}}
AVERAGED = {"ema_momentum": 0.9, "early_stopping": {"patience": 2}}
# Name -> what was trained in a process of its own, tested and packaged, and by how many MB more
# was resident at the peak than before (docs/decisions/memory-of-a-trial.md).
MEASURED: dict[str, tuple[dict[str, Any], int]] = {
    "mlp of 671 MB": ({"shape": (64, 64, 3), "model": mlp(8192, 8192)}, 4984),
    "mlp of 147 MB": ({"shape": (28, 28, 1), "model": mlp(4096, 4096, 4096)}, 1127),
    "by sgd": (
        {
            "shape": (28, 28, 1),
            "model": mlp(4096, 4096, 4096),
            "training": {"optimizer": "sgd"},
        },
        1048,
    ),
    "with averages": (
        {"shape": (28, 28, 1), "model": mlp(4096, 4096, 4096), "training": AVERAGED},
        1843,
    ),
    "distill": ({"shape": (28, 28, 1), "model": mlp(4096, 4096, 4096), "arm": "distill"}, 1649),
    "410 MB of items": (
        {"shape": (64, 64, 1), "model": mlp(16), "items": 100_000, "training": {"batch_size": 512}},
        1492,
    ),
    "small mlp": ({"shape": (28, 28, 1), "model": mlp(256)}, 141),
    "small convnet": ({"shape": (16, 16, 1), "model": CONVNET}, 200),
    "convnet at 32": ({"shape": (32, 32, 3), "model": CONVNET}, 348),
    "convnet at 128": ({"shape": (128, 128, 3), "model": CONVNET}, 1307),
    "convnet at 128 in batches of 256": (
        {"shape": (128, 128, 3), "model": CONVNET, "training": {"batch_size": 256}},
        3359,
    ),
    "convnet at 128, from 28": (
        {"shape": (28, 28, 1), "model": {**CONVNET, "image_size": [128, 128]}},
        1412,
    ),
    "wide convnet": (
        {"shape": (64, 64, 3), "model": SOME, "training": {"batch_size": 128}},
        1158,
    ),
    "linear probe": ({"shape": (128, 128, 3), "model": CONVNET, "arm": "linear_probe"}, 593),
    "dann": (
        {"shape": (64, 64, 3), "model": {**CONVNET, "bottleneck": 256}, "arm": "dann"},
        650,
    ),
    "adamatch": ({"shape": (64, 64, 3), "model": CONVNET, "arm": "adamatch"}, 811),
    "multi_task": ({"shape": (64, 64, 3), "model": CONVNET, "arm": "multi_task"}, 579),
    "augmented": (
        {
            "shape": (64, 64, 3),
            "model": CONVNET,
            "training": {"augmentation": {"strength": "strong"}},
        },
        558,
    ),
    "mobilenet at 96": ({"shape": (96, 96, 3), "model": MOBILENET, "items": 600}, 862),
    "mobilenet at 96 in batches of 16": (
        {"shape": (96, 96, 3), "model": MOBILENET, "training": {"batch_size": 16}},
        797,
    ),
    "efficientnet_lite0 at 128 in batches of 16": (  # trained alone, neither tested nor packaged
        {
            "shape": (128, 128, 3),
            "model": {"backbone": "efficientnet_lite0"},
            "items": 50,
            "training": {"batch_size": 16},
        },
        707,
    ),
    "mobilenet at 160": ({"shape": (160, 160, 3), "model": MOBILENET, "items": 300}, 1597),
    "mobilenet of width 1": (
        {"shape": (96, 96, 3), "model": {**MOBILENET, "params": {"width": 1.0}}, "items": 300},
        1968,
    ),
}


@pytest.mark.parametrize(("job", "megabytes"), MEASURED.values(), ids=MEASURED)
def test_an_upper_bound_and_not_a_wild_one(job: dict[str, Any], megabytes: int) -> None:
    assert megabytes * MIB <= need(**job).total <= 3 * megabytes * MIB


def test_what_it_hangs_on() -> None:
    job: dict[str, Any] = {"shape": (28, 28, 1), "model": mlp(2048, 2048)}
    plain = need(**job)
    assert plain.arm == "scratch"
    for larger in ({"batch_size": 1000}, AVERAGED, {"gradient_clip_norm": 1.0}):
        assert need(**job, training=larger).total > plain.total
    assert need(**job, training={"optimizer": "sgd"}).total < plain.total
    assert need(**job, items=300_000).data > 100 * plain.data
    # More data than that is read chunk by chunk.
    assert need(**job, items=3_000_000).data < need(**job, items=600_000).data
    for arm in ("l2_sp", "distill", "multi_task"):
        assert need(**job, arm=arm).total > plain.total


def test_sources_of_another_size_count_as_they_are_stored() -> None:
    """200 float32 items of 512x512 beside 40 of 8x8, all seen at 8x8."""
    spec = ResolvedSpec.model_validate(
        {
            "sources": [{"dataset": "ds_1"}, {"dataset": "ds_2"}],
            "target": {"dataset": "ds_3"},
            "combine": "each",
            "model": {"backbone": "mlp", "image_size": [8, 8]},
            "strategies": [{"name": "fine_tune"}],
        }
    )
    large = {"shape": (512, 512, 1), "dtype": "float32", "splits": {"train": 200, "test": 0}}
    counts = {"class_counts": {"train": (100, 100), "test": (0, 0)}}
    other = changed(SCHEMA, **large, **counts)
    need = MemoryCase(spec, [SCHEMA, other], SCHEMA).need(plan(spec))
    assert need.arm == "pretrain@2"
    assert need.data == pytest.approx(COPIES_OF_DATA * 180 * 512 * 512 * 4)
