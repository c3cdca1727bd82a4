"""The name of a pretraining: two that share it train to the same weights, up to what machines
differ in."""

import json
from collections.abc import Sequence
from hashlib import sha256

from app.datasets.schemas import Schema
from app.datasets.table_spec import ColumnInfo
from app.spec.plan import PRETRAIN, rewriting_of, sources_of
from app.spec.spec import ResolvedSpec
from app.tables.datasets import DatasetRow
from worker.machine.device import Precision, resolve_precision
from worker.trials.trial_data import TrialData

# Raised when the engine, a network or the recipe of a pretraining changes what the same words train
# to: what was trained before is then trained anew.
REVISION = 2
_NO_PART = {"epochs", "pretrain_epochs", "min_steps"}


def content_key(data: TrialData) -> str | None:
    """Key of a pretraining; None of another trial, and where the content of something that it
    learns from has no name."""
    hashes = [row.content_hash for row in data.sources]
    how, of_target = rewriting_of(data.spec, data.trial.arm), data.target.content_hash
    if data.trial.role != PRETRAIN or None in hashes or (how and of_target is None):
        return None
    content = str(hashes[0])
    if len(hashes) > 1:  # which classes are one depends on their names
        content = json.dumps([hashes, [schema.classes for schema in data.source_schemas]])
    if any(column.role == "group" for row in data.sources for column in _columns(row)):
        content += " by whole groups"  # are validation items; what was trained before did not know
    precision = resolve_precision(data.spec.training.precision, data.spec.model)
    places = sources_of(data.spec, data.trial.arm)
    rewriting = (how, str(of_target)) if how else None
    return pretraining_key(data.spec, content, data.trial.seed, precision, places, rewriting)


def _columns(row: DatasetRow) -> Sequence[ColumnInfo]:
    return Schema.model_validate(row.schema).columns


def pretraining_key(
    spec: ResolvedSpec,
    source_content: str,
    seed: int,
    precision: Precision,
    places: Sequence[int] = (),
    rewriting: tuple[str, str] | None = None,
) -> str:
    """sha256, hexadecimal, of all that the weights depend on; the target is no part of it but where
    rows are written anew by what it says.

    Args:
        source_content: the source dataset's content_hash.
        seed: the trial's, not the job's.
        places: the trial's sources among the job's.
        rewriting: of an arm's own pretraining how the source's rows are written anew, and the
            target's content_hash.
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
    if rewriting:
        recipe["rewriting"] = rewriting
    flaws = {"imbalance": spec.imbalance, "label_noise": spec.label_noise}
    recipe |= {name: chosen for name, chosen in flaws.items() if chosen != "none"}
    return sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()
