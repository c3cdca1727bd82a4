"""The way from what a job's source says to weights that are there: names known, `auto` decided."""

from pathlib import Path

from app.datasets.schemas import Schema
from app.errors import Finding, Invalid, invalid
from app.pretrained.files import located
from app.spec.photo_params import LEAST_SIDE
from app.spec.pretrained import PRETRAINED, Pretrained
from app.spec.source import Source
from app.spec.spec import Choice, JobSpec

AUTO = "auto"
COLOURS = 3  # channels of a photo
UNAVAILABLE = "weights_unavailable"


def pretrained_of(
    source: Source, target: Schema, cache_dir: Path, pointer: str
) -> tuple[Pretrained, Choice | None]:
    """The weights that a source means, and why, where it left that open.

    Raises Invalid: `unknown_backbone`, `backbone_does_not_fit`, `weights_unavailable`.
    """
    if source.backbone == AUTO:
        return _first(source, target, cache_dir, pointer)
    found = PRETRAINED.get(source.reference)
    if found is None:
        known = ", ".join(sorted({each.backbone for each in PRETRAINED.values()}))
        detail = f"expected a backbone whose weights are known ({known}) or auto, got another name"
        raise invalid("unknown_backbone", detail, f"{pointer}/backbone")
    if found.modality != target.inputs.modality:
        raise _misfit(f"{found.backbone}, whose weights are for {found.modality}s", target, pointer)
    if located(found, cache_dir) is None:
        detail = f"expected the weights of {found.backbone} to be there, got no file of them: "
        detail += f"`{found.command}` brings them"
        raise invalid(UNAVAILABLE, detail, f"{pointer}/backbone")
    return found, None


def recommended(spec: JobSpec, target: Schema, cache_dir: Path) -> Choice | None:
    """Returns what a job of photos that leaves its strategies to `auto` is told where weights are
    there and none of its sources is pretrained: what it starts from stays what its user wrote."""
    is_open = any(strategy.name == AUTO for strategy in spec.strategies)
    if not is_open or any(source.backbone for source in spec.sources) or not _are_photos(target):
        return None
    there = [each for each in PRETRAINED.values() if each.modality == target.inputs.modality]
    there = [each for each in there if located(each, cache_dir)]
    if not there:
        return None
    first = there[0]
    reason = (
        f"as the job says; for photos the {first.weights} weights of {first.backbone} are there "
        f'too and mostly carry further: {{"backbone": "{first.backbone}", "weights": '
        f'"{first.weights}"}} among the sources compares them'
    )
    return Choice(field="sources", chosen=[each.reference for each in spec.sources], reason=reason)


def _are_photos(target: Schema) -> bool:
    inputs = target.inputs
    return (
        inputs.sides is not None and inputs.layout[2] == COLOURS and min(inputs.sides) >= LEAST_SIDE
    )


def _first(
    source: Source, target: Schema, cache_dir: Path, pointer: str
) -> tuple[Pretrained, Choice]:
    able = [each for each in PRETRAINED.values() if each.modality == target.inputs.modality]
    able = [each for each in able if each.weights == source.weights]
    if not able:
        raise _misfit("no weights for them", target, pointer)
    there = [each for each in able if located(each, cache_dir)]
    if not there:
        commands = " or ".join(dict.fromkeys(f"`{each.command}`" for each in able))
        detail = f"expected weights that are there for `auto` to choose, got none: {commands}"
        raise invalid(UNAVAILABLE, f"{detail} brings them", f"{pointer}/backbone")
    chosen = there[0]
    reason = (
        f"weights for {target.inputs.modality}s that are there, the first by what they reach with "
        "few labels"
    )
    where = pointer.removeprefix("#/").replace("/", ".")
    return chosen, Choice(field=f"{where}.backbone", chosen=chosen.backbone, reason=reason)


def _misfit(got: str, target: Schema, pointer: str) -> Invalid:
    detail = f"expected weights for {target.inputs.modality}s, which the target has, got {got}"
    return Invalid("backbone_does_not_fit", detail, Finding(detail, f"{pointer}/backbone"))
