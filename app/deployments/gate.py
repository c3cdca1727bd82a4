"""What a model must be and do before a name points to it."""

from sqlalchemy.orm import Session

from app.errors import Conflict, invalid
from app.models import encoders
from app.models import repository as models
from app.prediction.served import Loaded, ServedModels
from app.prediction.sessions import LoadFailed
from app.tables.models import ModelRow


def check_servable(session: Session, model: ModelRow) -> None:
    """Raises Conflict or Invalid where an imported model is not read yet, or has no head."""
    if model.files:
        if encoders.stored_of(model):
            detail = "expected a model that answers, got an encoder, which jobs stand on"
            raise invalid("model_without_head", detail, "#/model")
        if "onnx" not in model.files:
            detail = "expected a model with a head, got features alone, which jobs start from"
            raise invalid("model_without_head", detail, "#/model")
        return
    models.ready_signature(session, model, "#/model")


def through_the_gate(served: ServedModels, model: ModelRow, pointer: str | None) -> Loaded:
    """Loads the model, which must answer its stored inputs as the trainer did. Raises Invalid, or
    Conflict where no `pointer` says where it was named."""
    try:
        return served.load(model)
    except LoadFailed as failure:
        if pointer:
            raise invalid("gate_failed", str(failure), pointer) from failure
        raise Conflict("gate_failed", str(failure)) from failure
