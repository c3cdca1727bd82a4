"""Models that answer nothing, for what is done with bodies and probabilities around them."""

from typing import Any

from app.inputs.image import ImageInputs
from app.prediction.batching import Batcher
from app.prediction.checking import check_of
from app.prediction.served import Loaded
from app.prediction.sessions import Session


def loaded(shape: tuple[int, ...], classes: int, engine: Any = None) -> Loaded:
    session = Session(engine, shape, chunk_rows=10**6, inline_rows=8)
    labels = tuple(map(str, range(classes)))
    inputs = ImageInputs.model_construct(shape=shape, dtype="uint8", value_range=None)
    (tensor,) = inputs.tensors
    check = check_of(inputs)
    return Loaded("mdl_1", labels, None, inputs, tensor, check, session, Batcher(session))
