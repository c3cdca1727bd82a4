"""The name of a pretraining: two that share it train to the same weights, up to what machines
differ in."""

import json
from collections.abc import Sequence
from hashlib import sha256

from app.spec.spec import ResolvedSpec
from worker.machine.device import Precision

# Raised when the engine, a network or the recipe of a pretraining changes what the same words train
# to: what was trained before is then trained anew.
REVISION = 2
_NO_PART = {"epochs", "pretrain_epochs", "min_steps"}


def pretraining_key(
    spec: ResolvedSpec,
    source_content: str,
    seed: int,
    precision: Precision,
    places: Sequence[int] = (),
) -> str:
    """sha256, hexadecimal, of all that the weights depend on; the target is no part of it.

    Args:
        source_content: the source dataset's content_hash.
        seed: the trial's, not the job's.
        places: the trial's sources among the job's.
        precision: that the machine computes in, where the spec leaves it to it.
    """
    training = spec.training.model_dump(mode="json", exclude=_NO_PART)
    # Left away where nothing is chosen: what was trained before they could be is still the same.
    for name in ("pretrain_min_steps", "hidden_columns", "hidden_parts", "parts_alone"):
        if not training[name]:
            del training[name]
    if (training["early_stopping"] or {}).get("min_items") == 1:
        del training["early_stopping"]["min_items"]
    training["precision"] = precision
    training["epochs"] = spec.training.pretrain_epochs or spec.training.epochs
    recipe = {
        "revision": REVISION,
        "source": source_content,
        "model": spec.model.model_dump(mode="json"),
        "training": training,
        "seed": seed,
    }
    if spec.inputs:  # what the source's items are brought to
        recipe["inputs"] = spec.inputs.model_dump(mode="json")
    if spec.columns:
        recipe["columns"] = [dict(spec.columns[place].names) for place in places]
    flaws = {"imbalance": spec.imbalance, "label_noise": spec.label_noise}
    recipe |= {name: chosen for name, chosen in flaws.items() if chosen != "none"}
    return sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()
