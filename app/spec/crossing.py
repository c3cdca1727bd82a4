"""Sources whose items have several parts, of which the target's items are one. Pure.

The job's network is then one for the source's items, and each item of the target is one that lacks
all parts but its own: every way to transfer applies as it is (docs/decisions/across-modalities.md).
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from app.datasets.schemas import Schema
from app.errors import Coded, Finding
from app.inputs.joined import PARTS, JoinedInputs
from app.inputs.joined_part import JoinedPart
from app.inputs.matching import matched
from app.inputs.table import TableInputs
from app.spec.sources import SourceFacts
from app.spec.strategy_catalogue import CATALOGUE

if TYPE_CHECKING:
    from app.spec.spec import JobSpec


def crosses(sources: Sequence[SourceFacts], target: Schema) -> bool:
    """Tells whether all sources' items have several parts and the target's have one."""
    is_one = not isinstance(target.inputs, JoinedInputs)
    return is_one and all(isinstance(facts.schema.inputs, JoinedInputs) for facts in sources)


def shared_part(
    spec: "JobSpec", sources: Sequence[SourceFacts], target: Schema
) -> JoinedPart | None:
    """Returns the part of the first source that the target's items are: the one that the job
    names, else the only one of their modality; None where there is no such part."""
    if not crosses(sources, target):
        return None
    found = _candidates(sources[0], target)
    if name := spec.sources[0].part:
        found = [part for part in found if part.name == name]
    return found[0] if len(found) == 1 else None


def crossed(spec: "JobSpec", sources: Sequence[SourceFacts], target: Schema) -> Schema:
    """Returns the target with the inputs of the first source, its own in the place of the part that
    they are; the target itself where nothing is crossed."""
    shared = shared_part(spec, sources, target)
    whole = sources[0].schema.inputs
    if shared is None or not isinstance(whole, JoinedInputs):
        return target
    parts = tuple(
        part.model_copy(update={"inputs": target.inputs}) if part == shared else part
        for part in whole.parts
    )
    return target.model_copy(update={"inputs": whole.model_copy(update={PARTS: parts})})


def pairs_of(spec: "JobSpec", sources: Sequence[SourceFacts], target: Schema) -> int:
    """Counts the training items of the source that has fewest, each of which may show the target's
    part beside another: 0 where nothing is crossed, or a source comes without its data."""
    if shared_part(spec, sources, target) is None or not all(f.has_data for f in sources):
        return 0
    return min(facts.schema.splits.get("train", 0) for facts in sources)


def pair_warnings(spec: "JobSpec", pairs: int) -> Iterator[str]:
    """Sentences about strategies that learn from pairs, where these are too few to pay."""
    for name in dict.fromkeys(strategy.name for strategy in spec.strategies):
        least = CATALOGUE[name].least_pairs if name in CATALOGUE else 0
        if pairs < least:
            yield (
                f"{name}: the source has {pairs} training items whose parts stand beside each "
                f"other, and below {least:,} such pairs it rarely pays"
            )


def crossing_findings(
    spec: "JobSpec", sources: Sequence[SourceFacts], target: Schema
) -> Iterator[Coded]:
    """Returns why no part of the sources' items is the target's."""
    if not crosses(sources, target):
        for place, source in enumerate(spec.sources):
            if source.part is not None:
                detail = (
                    "expected no `part` but where the source's items have several parts and the "
                    f"target's are one, got `{source.part}`; leave it out"
                )
                yield "part_not_used", Finding(detail, f"#/sources/{place}/part")
        return
    for place, (source, facts) in enumerate(zip(spec.sources, sources, strict=True)):
        yield from _part_findings(source.part, facts, target, f"#/sources/{place}")
    shared = shared_part(spec, sources, target)
    for place, facts in enumerate(sources[1:], 1):
        inputs = facts.schema.inputs
        named = spec.sources[place].part
        if shared and named not in (None, shared.name):
            detail = f"expected the part of the first source, `{shared.name}`, got `{named}`"
            yield "unknown_part", Finding(detail, f"#/sources/{place}/part")
        elif isinstance(inputs, JoinedInputs) and _form(inputs) != _form(sources[0].schema.inputs):
            detail = "expected the parts of the first source's items, of their modalities"
            yield "shape_mismatch", Finding(detail, f"#/sources/{place}/{facts.member}")


def _part_findings(
    named: str | None, facts: SourceFacts, target: Schema, pointer: str
) -> Iterator[Coded]:
    whole, own = facts.schema.inputs, target.inputs
    assert isinstance(whole, JoinedInputs)
    has = ", ".join(f"`{part.name}` ({part.inputs.modality})" for part in whole.parts)
    able = _candidates(facts, target)
    told = ", ".join(f"`{part.name}`" for part in able)
    if not able:
        detail = (
            f"expected a source one of whose parts is what the target's items are, {own.modality}, "
            f"got {has}: source and target share no modality, so that nothing carries over"
        )
        yield "no_shared_part", Finding(detail, f"{pointer}/{facts.member}")
    elif named is not None and named not in [part.name for part in able]:
        detail = f"expected a part of the source that is {own.modality}, one of {told}, got "
        yield "unknown_part", Finding(f"{detail}`{named}`", f"{pointer}/part")
    elif named is None and len(able) > 1:
        detail = f"expected `part`, which of the source's the target's items are: one of {told}"
        yield "ambiguous_part", Finding(detail, f"{pointer}/part")
    else:
        part = next(part for part in able if named in (None, part.name))
        if _shares_no_column(target, part):
            detail = (
                f"expected a column that the source's part `{part.name}` and the target share, by "
                "its name and kind, got none: name them alike"
            )
            yield "no_shared_column", Finding(detail, f"{pointer}/{facts.member}")


def _shares_no_column(target: Schema, part: JoinedPart) -> bool:
    own, theirs = target.inputs, part.inputs
    if not isinstance(own, TableInputs) or not isinstance(theirs, TableInputs):
        return False
    return not matched(own, theirs).names


def _candidates(facts: SourceFacts, target: Schema) -> list[JoinedPart]:
    whole = facts.schema.inputs
    assert isinstance(whole, JoinedInputs)
    return [part for part in whole.parts if part.inputs.modality == target.inputs.modality]


def _form(inputs: object) -> list[tuple[str, str]]:
    assert isinstance(inputs, JoinedInputs)
    return [(part.name, part.inputs.modality) for part in inputs.parts]
