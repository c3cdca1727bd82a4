"""A reference as a model that can be served: fitted again as in its trial, held against that."""

from pathlib import Path
from typing import Any

import onnx

from app.models.schemas import Signature
from app.prediction.feeds import ONE
from app.storage import Storage
from app.tensors import Tensors
from worker.packaging.golden import hold
from worker.references.graph import graph_of
from worker.references.reference import Array, FittedReference
from worker.trials.setup import setup_of
from worker.trials.trial_data import TrialData


def packaged_reference(
    storage: Storage, data: TrialData, sample: Tensors, folder: Path
) -> dict[str, Any]:
    """Makes what a model's row is made of.

    Args:
        data: of the reference's trial, which says what the model is fitted on.
        sample: raw items of the target, (m, …), m >= 1.
        folder: for files on their way.
    """
    trial = data.trial
    fitted = FittedReference.fit(data.spec.references[trial.arm], setup_of(storage, data))
    schema = fitted.schema
    signature = Signature(inputs=schema.inputs.of_model(sample), task=schema.task)
    (name,) = sample

    def answers(inputs: Tensors) -> Array:
        return fitted.answers({name: inputs[ONE]})

    graph, golden = folder / "model.onnx", folder / "golden.npz"
    onnx.save(graph_of(fitted), graph)
    difference = hold(graph, golden, signature, sample, answers)
    return {
        "trial_id": trial.id,
        "files": {"onnx": storage.put(graph), "golden": storage.put(golden)},
        "signature": signature,
        "card": {
            "arm": trial.arm,
            "seed": trial.seed,
            "labels_per_class": trial.labels_per_class,
            "sources": data.job.source_ids,
            "target": data.job.target_id,
            "target_content_hash": data.target.content_hash,
            "test": trial.test,
            "validation": trial.validation,
            "packaging_difference": difference,
        },
    }
