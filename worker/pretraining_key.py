"""The name of a pretraining: two that share it train to the same weights."""

import json
from hashlib import sha256

from app.jobs.spec import ResolvedSpec

# Raised when the engine, a network or the recipe of a pretraining changes what the same words train
# to: what was trained before is then trained anew.
REVISION = 1


def pretraining_key(spec: ResolvedSpec, source_content: str, seed: int) -> str:
    """sha256, hexadecimal, of all that the weights depend on; the target is no part of it.

    Args:
        source_content: the source dataset's content_hash.
        seed: the trial's, not the job's.
    """
    training = spec.training.model_dump(mode="json", exclude={"epochs", "pretrain_epochs"})
    training["epochs"] = spec.training.pretrain_epochs or spec.training.epochs
    recipe = {
        "revision": REVISION,
        "source": source_content,
        "model": spec.model.model_dump(mode="json"),
        "training": training,
        "seed": seed,
    }
    return sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()
