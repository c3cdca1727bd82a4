"""The point that a trial starts from: the weights of a model, of a pretraining, or from
elsewhere."""

from pathlib import Path

from app.errors import DamagedArtifact
from app.inputs.table import TableInputs
from app.models.schemas import Signature
from app.models.stored import file_path
from app.spec.plan import sources_of
from app.storage import Storage
from worker.backbones.input_rows import Learnt
from worker.backbones.pretrained import weights_file
from worker.trials.trial_data import TrialData


def starting_point(storage: Storage, data: TrialData) -> tuple[Path | None, Learnt | None]:
    """The weights that the trial starts from, None where it starts from none; and by which columns
    they have learnt, where items are rows of a table and these may be others. Raises
    DamagedArtifact, and WorkFailure `weights_unavailable`."""
    return _source_weights(storage, data), _learnt(data)


def _learnt(data: TrialData) -> Learnt | None:
    """The columns of the model that the trial starts from, where its items are rows of a table."""
    if not data.models or not isinstance(data.spec.inputs, TableInputs):
        return None
    inputs = Signature.model_validate(data.models[0].signature).inputs
    if not isinstance(inputs, TableInputs):
        return None
    (place,) = sources_of(data.spec, data.trial.arm)
    return Learnt(inputs, data.spec.columns[place].names)


def _source_weights(storage: Storage, data: TrialData) -> Path | None:
    if data.models:
        return file_path(storage, data.models[0], "weights")
    if data.pretrained:
        return weights_file(data.pretrained[0], storage.cache)
    if data.source_weights is None or data.needed is None:
        return None
    try:
        return storage.local(data.source_weights)
    except DamagedArtifact as damage:
        what = f"the weights of the trial {data.needed.id} ({data.needed.arm})"
        raise damage.named(what, "retry the job, which trains them again") from damage
