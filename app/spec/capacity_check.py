"""Check of a job against the workers' memory: what `network_too_large` says."""

from collections.abc import Iterator, Sequence

from pydantic import BaseModel, Field

from app.datasets.schemas import Schema
from app.errors import Invalid, invalid
from app.spec.backbones import CATALOGUE
from app.spec.memory import PACKAGING, REPORT, MemoryCase, Need
from app.spec.plan import PlannedTrial
from app.spec.spec import ResolvedSpec
from app.spec.strategies import AutoArm, Strategy
from app.spec.strategy_catalogue import CATALOGUE as STRATEGIES
from app.spec.strategy_memory import load_of

GB = 10**9
MOST_PARAMETERS = 500_000_000  # an ONNX graph is one message of protobuf: 2 GiB


class MemoryEstimate(BaseModel):
    """Estimate of what a process that trains takes, before any has run."""

    memory_bytes: int = Field(
        description="of the trial that takes most, or of packaging: an upper bound in most cases, "
        "beside what TensorFlow itself takes"
    )
    parameters: int = Field(description="of the network, with the larger of its heads")


def estimate_of(
    spec: ResolvedSpec,
    trials: Sequence[PlannedTrial],
    sources: Sequence[Schema],
    target: Schema,
    available: int,
) -> MemoryEstimate:
    """Raises Invalid `network_too_large`.

    Args:
        available: bytes that a worker gives a trial.
    """
    scene = MemoryCase(spec, sources, target)
    if scene.parameters > MOST_PARAMETERS:
        detail = (
            f"expected a network of at most {MOST_PARAMETERS:,} parameters, as many as a packaged "
            f"one can have, got {scene.parameters:,}: lower {_widths(spec)}"
        )
        raise invalid("network_too_large", detail, "#/model")
    together = scene.packaged_networks * scene.parameters
    if together > MOST_PARAMETERS:
        detail = (
            f"expected an ensemble of at most {MOST_PARAMETERS:,} parameters, as many as a "
            f"packaged model can have, got {together:,} of {scene.packaged_networks} seeds: "
            f"{_smaller_ensemble(scene, MOST_PARAMETERS // scene.parameters)}"
        )
        raise invalid("ensemble_too_large", detail, "#/deploy/ensemble")
    need = scene.need(trials)
    if need.total > available:
        raise _too_large(scene, trials, need, available)
    return MemoryEstimate(memory_bytes=need.total, parameters=scene.parameters)


def _too_large(
    scene: MemoryCase, trials: Sequence[PlannedTrial], need: Need, available: int
) -> Invalid:
    spec = scene.spec
    detail = (
        f"expected trials that take at most {available / GB:.1f} GB of memory, as a worker has for "
        f"each, got about {need.total / GB:.1f} GB in `{need.arm}`: {need.weights / GB:.1f} GB for "
        f"{scene.parameters:,} parameters with gradients, optimizer and checkpoint, "
        f"{need.activations / GB:.1f} GB for activations in batches of "
        f"{spec.training.batch_size}, {need.data / GB:.1f} GB for data"
    )
    more = "or give the workers more memory or fewer training slots"
    if (
        need.arm == PACKAGING
        and scene.packaged_networks > 1
        and _fits_alone(scene, trials, available)
    ):
        cure = _smaller_ensemble(scene, 1)
        return invalid("ensemble_too_large", f"{detail}; {cure}, {more}", "#/deploy/ensemble")
    if fitting := _fitting_batch(scene, trials, available):
        cure = f"lower training.batch_size (with {fitting} it fits)"
        return invalid("network_too_large", f"{detail}; {cure}, {more}", "#/training/batch_size")
    parts = {
        _widest(scene): (need.weights, f"lower {_widths(spec)}"),
        "#/model/image_size": (
            need.activations,
            f"take a smaller model.image_size or lower {_widths(spec)}",
        ),
        "#/target/dataset": (need.data, "take a narrower network or smaller datasets"),
    }
    if need.arm == REPORT:
        cure = "lower evaluation.seeds or take fewer label budgets: it is made of all predictions"
        parts = {"#/evaluation": (need.data, cure)}
    pointer = max(parts, key=lambda each: parts[each][0])
    return invalid("network_too_large", f"{detail}; {parts[pointer][1]}, {more}", pointer)


def _fits_alone(scene: MemoryCase, trials: Sequence[PlannedTrial], available: int) -> bool:
    """Whether the same job without an ensemble would fit."""
    deploy = scene.spec.deploy and scene.spec.deploy.model_copy(update={"ensemble": "none"})
    alone = scene.spec.model_copy(update={"deploy": deploy})
    return MemoryCase(alone, scene.sources, scene.target).need(trials).total <= available


def _smaller_ensemble(scene: MemoryCase, fitting: int) -> str:
    cure = f"leave `ensemble` out, and one network is served, or lower {_widths(scene.spec)}"
    return f"lower evaluation.seeds to {fitting}, {cure}" if fitting > 1 else cure


def _fitting_batch(scene: MemoryCase, trials: Sequence[PlannedTrial], available: int) -> int | None:
    batch = scene.spec.training.batch_size // 2
    while batch >= 2:
        training = scene.spec.training.model_copy(update={"batch_size": batch})
        smaller = scene.spec.model_copy(update={"training": training})
        if MemoryCase(smaller, scene.sources, scene.target).need(trials).total <= available:
            return batch
        batch //= 2
    return None


def _widths(spec: ResolvedSpec) -> str:
    """The fields that make the network wide."""
    widths = CATALOGUE[spec.model.backbone].widths
    fields = " or ".join(f"model.params.{width}" for width in widths)
    own = [
        f"`{width}` of {strategy.name}" for _, strategy, width in _with_layers_of_their_own(spec)
    ]
    return f"{fields}, or {own[0]}" if own else fields


def _widest(scene: MemoryCase) -> str:
    """Where most of the weights come from: the network, or a discriminator of its own."""
    for place, strategy, width in _with_layers_of_their_own(scene.spec):
        if load_of(strategy, scene.widths).new > scene.parameters:
            return f"#/strategies/{place}/params/{width}"
    return "#/model/params"


def _with_layers_of_their_own(spec: ResolvedSpec) -> Iterator[tuple[int, Strategy, str]]:
    """Strategies of the job, with their places, whose own layers a parameter makes wide."""
    for place, strategy in enumerate(spec.strategies):
        if isinstance(strategy, AutoArm):
            continue
        if width := STRATEGIES[strategy.name].width:
            yield place, strategy, width
