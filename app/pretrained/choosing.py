"""The way from what a job's source says to weights that are there: names known, `auto` decided."""

from collections.abc import Sequence
from pathlib import Path

from app.datasets.schemas import Schema
from app.errors import Finding, Invalid, invalid
from app.inputs.contract import InputsContract
from app.inputs.image import ImageInputs
from app.inputs.joined import JoinedInputs
from app.pretrained.files import located
from app.spec.backbones import AutoBackbone, Backbone, Fusion
from app.spec.frozen_photos import FrozenPhotosParams
from app.spec.photo_params import LEAST_SIDE
from app.spec.pretrained import PRETRAINED, Pretrained
from app.spec.source import Source
from app.spec.spec import Choice, JobSpec

AUTO = "auto"
COLOURS = 3  # channels of a photo
UNAVAILABLE = "weights_unavailable"
PHOTOS = "#/model/params/photos"


def with_weights_named(
    spec: JobSpec, target: Schema, cache_dir: Path
) -> tuple[JobSpec, list[Choice]]:
    """The job with pretrained weights that are there wherever it asks for some. Raises Invalid."""
    sources, chosen = list(spec.sources), list[Choice | None]()
    for place, source in enumerate(sources):
        if source.backbone is None:
            continue
        weights, choice = _pretrained_of(source, target, cache_dir, f"#/sources/{place}")
        sources[place] = source.model_copy(update={"backbone": weights.backbone})
        chosen.append(choice)
    spec = spec.model_copy(update={"sources": tuple(sources)})
    if isinstance(spec.model, Fusion) and spec.model.params.photos:
        photos, choice = _photos_of(spec.model.params.photos, cache_dir)
        params = spec.model.params.model_copy(update={"photos": photos})
        model = spec.model.model_copy(update={"params": params})
        spec = spec.model_copy(update={"model": model})
        chosen.append(choice)
    return spec, [choice for choice in chosen if choice]


def check_photos(model: Backbone, cache_dir: Path) -> None:
    """Raises Invalid `weights_unavailable` where those are not there that the pictures of items of
    several parts go through; the job's source may have brought it."""
    if isinstance(model, Fusion) and model.params.photos:
        _photos_of(model.params.photos, cache_dir)


def _pretrained_of(
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
    _check_there(found, cache_dir, pointer)
    return found, None


def _photos_of(
    params: FrozenPhotosParams, cache_dir: Path
) -> tuple[FrozenPhotosParams, Choice | None]:
    """The frozen network that pictures of items of several parts go through, and why, where it was
    left open. Raises Invalid `weights_unavailable`."""
    if params.backbone == AUTO:
        able = [each for each in PRETRAINED.values() if each.weights == params.weights]
        chosen = _there(able, cache_dir, PHOTOS)
        reason = "weights for pictures that are there, the first by what they reach with few labels"
        choice = Choice(field="model.params.photos.backbone", chosen=chosen.backbone, reason=reason)
        return params.model_copy(update={"backbone": chosen.backbone}), choice
    if found := PRETRAINED.get(params.reference):
        _check_there(found, cache_dir, PHOTOS)
    return params, None


def recommended(spec: JobSpec, target: Schema, cache_dir: Path) -> Choice | None:
    """Returns what a job of photos is told that leaves open what they go through, where weights are
    there that it does not use: what it starts from stays what its user wrote."""
    if isinstance(target.inputs, JoinedInputs):
        return _recommended_of_parts(spec, target.inputs, cache_dir)
    is_open = any(strategy.name == AUTO for strategy in spec.strategies)
    if (
        not is_open
        or any(source.backbone for source in spec.sources)
        or not _is_photo(target.inputs)
    ):
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


def _recommended_of_parts(spec: JobSpec, target: JoinedInputs, cache_dir: Path) -> Choice | None:
    photos = [part for part in target.parts if _is_photo(part.inputs)]
    there = [each for each in PRETRAINED.values() if located(each, cache_dir)]
    is_open = isinstance(spec.model, AutoBackbone) and not any(each.model for each in spec.sources)
    if not photos or not there or not is_open:
        return None
    first = there[0]
    reason = (
        f"its photos go through a network from random weights; the {first.weights} weights of "
        f"{first.backbone} are there and mostly carry further: "
        f'"model": {{"backbone": "fusion", "params": {{"photos": {{"backbone": '
        f'"{first.backbone}"}}}}}}'
    )
    return Choice(field="model.params.photos", chosen=None, reason=reason)


def _is_photo(inputs: InputsContract) -> bool:
    return (
        isinstance(inputs, ImageInputs)
        and inputs.shape[2] == COLOURS
        and min(inputs.sides) >= LEAST_SIDE
    )


def _first(
    source: Source, target: Schema, cache_dir: Path, pointer: str
) -> tuple[Pretrained, Choice]:
    able = [each for each in PRETRAINED.values() if each.modality == target.inputs.modality]
    able = [each for each in able if each.weights == source.weights]
    if not able:
        raise _misfit("no weights for them", target, pointer)
    chosen = _there(able, cache_dir, pointer)
    reason = (
        f"weights for {target.inputs.modality}s that are there, the first by what they reach with "
        "few labels"
    )
    where = pointer.removeprefix("#/").replace("/", ".")
    return chosen, Choice(field=f"{where}.backbone", chosen=chosen.backbone, reason=reason)


def _check_there(weights: Pretrained, cache_dir: Path, pointer: str) -> None:
    if located(weights, cache_dir) is None:
        detail = f"expected the weights of {weights.backbone} to be there, got no file of them: "
        detail += f"`{weights.command}` brings them"
        raise invalid(UNAVAILABLE, detail, f"{pointer}/backbone")


def _there(able: Sequence[Pretrained], cache_dir: Path, pointer: str) -> Pretrained:
    """The first whose file is there."""
    for each in able:
        if located(each, cache_dir):
            return each
    commands = " or ".join(dict.fromkeys(f"`{each.command}`" for each in able))
    detail = f"expected weights that are there for `auto` to choose, got none: {commands}"
    raise invalid(UNAVAILABLE, f"{detail} brings them", f"{pointer}/backbone")


def _misfit(got: str, target: Schema, pointer: str) -> Invalid:
    detail = f"expected weights for {target.inputs.modality}s, which the target has, got {got}"
    return Invalid("backbone_does_not_fit", detail, Finding(detail, f"{pointer}/backbone"))
