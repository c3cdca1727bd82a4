"""Warnings of what is known of a job's datasets before anything is trained."""

from collections.abc import Iterator, Sequence

from app.spec.crossing import pair_warnings
from app.spec.scales import PixelScale, scale_warnings
from app.spec.sources import SourceFacts
from app.spec.spec import JobSpec
from app.spec.unlabelled import IDLE

OWN_SOURCE = (
    "The source is the target itself: all its training items are the target's own, with their "
    "labels. A gain tells what more labels bring, and nothing of another domain."
)


def job_warnings(
    spec: JobSpec, sources: Sequence[SourceFacts], target_scale: PixelScale | None, pairs: int
) -> tuple[str, ...]:
    """Sentences.

    Args:
        pairs: of the target's part and others, in a source.
    """

    def found() -> Iterator[str]:
        if any(each.dataset == spec.target.dataset for each in spec.sources):
            yield OWN_SOURCE
        yield from scale_warnings([facts.scale for facts in sources], target_scale)
        yield from pair_warnings(spec, pairs)
        if spec.target.use_unlabelled and not spec.target.use_labels:
            yield IDLE

    return tuple(found())
