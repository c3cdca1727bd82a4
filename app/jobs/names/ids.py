"""A job's target and sources, from what people call them to their ids."""

from sqlalchemy.orm import Session

from app.datasets import repository as datasets
from app.errors import Conflict, Invalid, NotFound, invalid
from app.models import repository as models
from app.spec.source import Source
from app.spec.spec import JobSpec


def with_ids(session: Session, project: str, spec: JobSpec) -> JobSpec:
    """The job with ids in place of names; unknown names stay. Raises Conflict for a name that
    several have."""
    target = datasets.id_of(session, project, spec.target.dataset, "#/target/dataset")
    sources = tuple(
        _with_id(session, project, source, f"#/sources/{place}")
        for place, source in enumerate(spec.sources)
    )
    changed = {"target": spec.target.model_copy(update={"dataset": target}), "sources": sources}
    return spec.model_copy(update=changed)


def unknown_dataset(session: Session, project: str, reference: str, pointer: str) -> Invalid:
    """The refusal of a dataset that is not there, which says so where a model has the name."""
    detail = f"expected the id or the name of a dataset of this project, got {reference[:80]!r}"
    try:
        model = models.get(session, project, reference)
    except (NotFound, Conflict):
        return invalid("unknown_dataset", detail, pointer)
    detail += f', which is a model: a source from it is {{"model": "{model.id}"}}'
    return invalid("unknown_dataset", detail, pointer)


def _with_id(session: Session, project: str, source: Source, pointer: str) -> Source:
    if source.dataset:
        known = datasets.id_of(session, project, source.dataset, f"{pointer}/dataset")
        return source.model_copy(update={"dataset": known})
    if source.model:
        known = models.id_of(session, project, source.model, f"{pointer}/model")
        return source.model_copy(update={"model": known})
    return source
