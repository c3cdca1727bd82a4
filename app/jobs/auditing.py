"""POST /v1/datasets/{id}/audit: what an audit compares items by may be the features of a model."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Response
from fastapi.openapi.models import Example
from sqlalchemy.orm import Session

from app.actions import post_action
from app.datasets import repository as datasets
from app.datasets.audits import repository
from app.datasets.audits.router import POLL_SECONDS, SHOWN, audit_out
from app.datasets.audits.schemas import AuditAsked, AuditOut
from app.datasets.schemas import Schema
from app.dependencies import Writer, WriteSession
from app.documented import can_answer
from app.errors import Invalid, invalid
from app.models import repository as models
from app.tables.datasets import DatasetRow
from app.turns import TurnRoute

router = APIRouter(prefix="/v1", tags=["datasets"], route_class=TurnRoute)

POINTER = "#/features"
EXAMPLES = {"by a model's features": Example(value={"features": "mdl_01M8"})}


@post_action(
    router,
    "/datasets/{dataset_id}/audit",
    status_code=202,
    response_model=AuditOut,
    responses=can_answer(409),
)
def begin(
    dataset_id: str,
    response: Response,
    session: WriteSession,
    caller: Writer,
    asked: Annotated[AuditAsked | None, Body(openapi_examples=EXAMPLES)] = None,
) -> AuditOut:
    """Has a worker look for labels that are likely wrong. Nothing of the dataset is changed. The
    same call again answers with the same audit, one that failed is begun anew; one by other
    features takes its place."""
    row = datasets.find(session, caller.project, dataset_id)
    schema = _refuse(row)
    features = asked.features if asked else None
    if features:
        features = require_features(session, caller.project, features, schema)
    audit = repository.obtain(session, row.id, features)
    response.headers["Location"] = f"/v1/datasets/{row.id}/audit"
    response.headers["Retry-After"] = POLL_SECONDS
    return audit_out(audit, 0, SHOWN)


def require_features(session: Session, project: str, reference: str, schema: Schema) -> str:
    """The model's id. Raises NotFound, Conflict, Invalid where it has no features of such items."""
    model = models.get(session, project, reference, pointer=POINTER)
    signature = models.ready_signature(session, model, POINTER)
    if schema.inputs.modality != "image":
        detail = (
            f"expected pictures, which a network's features are compared by, got "
            f"{schema.inputs.modality} items; leave `features` out, and they are compared as they "
            "are"
        )
        raise invalid("features_do_not_fit", detail, POINTER)
    if "weights" not in model.files:
        detail = (
            f"expected a network, which has features, {model.id} is the reference "
            f"{model.card['arm']}; leave `features` out, and pictures are compared as they are"
        )
        raise invalid("needs_network", detail, POINTER)
    if reasons := schema.inputs.mismatches(signature.inputs, _seen_at(model.card)):
        detail = (
            f"expected a model for such pictures: {'; '.join(reasons)} (here the source is the "
            "model). Name another one, or leave `features` out"
        )
        raise invalid("features_do_not_fit", detail, POINTER)
    return model.id


def _seen_at(card: dict[str, Any]) -> tuple[int, int] | None:
    """The size that a model's network brings its pictures to; None where they stay as they are."""
    size = card["network"].get("image_size")
    return tuple(size) if size else None


def _refuse(row: DatasetRow) -> Schema:
    """The dataset's schema. Raises Conflict while it is not ready, Invalid where no label can be
    judged."""
    schema = datasets.ready_schema_of(row)
    if not schema.task.has_classes:
        detail = (
            f"expected a classification, whose labels neighbours can contradict, got a "
            f"{schema.task.kind}"
        )
        raise Invalid("needs_classification", detail)
    if not any(schema.has_labels(split) for split in schema.splits):
        raise Invalid("no_labels", f"expected labels to look at, {row.id} has none")
    return schema
