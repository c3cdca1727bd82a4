"""The network that a job will have, as far as its spec leaves that open."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from app.datasets.schemas import Schema
from app.spec.backbones import CATALOGUE, AutoBackbone, Backbone
from app.spec.model_choice import ModelChoice
from app.spec.sources import SourceFacts, first_network

if TYPE_CHECKING:
    from app.spec.spec import JobSpec

CONVNET_FROM_ITEMS = 500
CONVNET_FROM_SIDE = 8
LARGEST_JOINT_SIDE = 96  # of pictures that are scaled up for the sake of others

Family = Literal["mlp", "convnet", "tabm", "charconv", "fusion"]


def chosen_family(
    auto: ModelChoice, sources: Sequence[SourceFacts], target: Schema
) -> tuple[Family, str]:
    """Returns what `auto` becomes without a source model, and why."""
    if target.inputs.modality == CATALOGUE["tabm"].modality:
        return "tabm", (
            "rows of a table: many small networks in one, the best of their kind over 46 tables "
            "(Gorishniy et al., ICLR 2025)"
        )
    if target.inputs.modality == CATALOGUE["charconv"].modality:
        return "charconv", "texts: it learns from their characters, in any language, from scratch"
    if target.inputs.modality == CATALOGUE["fusion"].modality:
        return "fusion", "items of several parts: a network for each, joined late"
    items = sum(facts.schema.splits.get("train", 0) for facts in sources)
    side = min(auto.image_size or target.inputs.layout[:2])
    is_picture = CATALOGUE["convnet"].modality == target.inputs.modality
    if is_picture and items >= CONVNET_FROM_ITEMS and side >= CONVNET_FROM_SIDE:
        return "convnet", (
            f"images, and {items} of them in the source: convolutions use their neighbourhoods"
        )
    if not is_picture:
        return "mlp", f"it takes the numbers of any items, {target.inputs.modality} too"
    return "mlp", f"only {items} images in the source: a small network"


def shown_at(model: Backbone, target: Schema) -> tuple[int, int] | None:
    """The size that the job's pictures are brought to: as the job says, or as its network has it;
    None where they stay as they are, and where items are no pictures."""
    if model.image_size or target.inputs.sides is None:
        return model.image_size
    return model.params.shown_at(target.inputs.layout)


def joint_size(
    spec: "JobSpec", sources: Sequence[SourceFacts], target: Schema
) -> tuple[int, int] | None:
    """Returns the size that pictures of unlike sizes are brought to where a job says none: that of
    a trained network, else the largest, so that nothing of the small ones is lost; None where all
    are alike, or the network has a size of its own."""
    sides = target.inputs.sides
    others = [facts.schema.inputs.sides for facts in sources if not facts.is_general]
    unlike = [each for each in others if each is not None and each != sides]
    if spec.model.image_size or sides is None or not unlike:
        return None
    first = first_network(sources)
    network = first if isinstance(spec.model, AutoBackbone) else spec.model
    if network is not None and shown_at(network, target):
        return None
    if first is not None:
        trained = next(facts for facts in sources if facts.network is not None)
        return None if trained.is_general else trained.schema.inputs.sides
    height, width = (
        max(own, min(max(each[axis] for each in unlike), LARGEST_JOINT_SIDE))
        for axis, own in enumerate(sides)
    )
    return height, width


def gets_bottleneck(spec: "JobSpec", sources: Sequence[SourceFacts]) -> bool:
    """Tells whether a job that says nothing of one has one: for adaptation, with a new network.
    Features of a frozen encoder are alike in both domains, and the BatchNorm of a bottleneck, which
    has the source's statistics, would take that away."""
    is_open = first_network(sources) is None and "bottleneck" not in spec.model.model_fields_set
    return not spec.target.use_labels and is_open and spec.model.encoder is None


def normalises(spec: "JobSpec", sources: Sequence[SourceFacts], target: Schema) -> bool:
    """Tells whether there is BatchNorm in the job's network."""
    model = spec.model
    chosen = (first_network(sources) or model) if isinstance(model, AutoBackbone) else model
    if chosen.bottleneck or gets_bottleneck(spec, sources):
        return True
    family = chosen.backbone
    if family == "auto":
        family, _ = chosen_family(chosen, sources, target)
    return CATALOGUE[family].has_batch_norm or chosen.params.has_batch_norm
