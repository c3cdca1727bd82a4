"""What a stored model's network makes of pictures, by which an audit compares them."""

from pydantic import TypeAdapter

from app.datasets.schemas import Schema
from app.models.schemas import Signature
from app.models.stored import file_path
from app.spec.backbones import Backbone
from app.storage import Storage
from app.tables.models import ModelRow
from worker.audit.audit import FeaturesOf
from worker.backbones.network import Architecture, Network
from worker.training import predict


def model_features(storage: Storage, model: ModelRow, schema: Schema) -> FeaturesOf:
    """Features (n, d) of raw pictures of a dataset that the model fits. Raises DamagedArtifact."""
    backbone: Backbone = TypeAdapter(Backbone).validate_python(model.card["network"])
    task = Signature.model_validate(model.signature).task.nameless
    network = Network(Architecture(backbone, schema.inputs, task))
    network.load_backbone(file_path(storage, model, "weights"))
    return lambda items: predict.features(network, items)
