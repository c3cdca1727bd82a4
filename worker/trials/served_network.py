"""The network that a job's model answers with: one seed's, the mean of all seeds, or one that has
learnt this mean."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import keras

from app.inputs.joined import JoinedInputs
from app.models.schemas import FittedTemperature
from app.spec.ensemble_report import DistilledReport, EnsembleReport
from app.storage import Storage
from app.tables.jobs import TrialRow
from worker.backbones.network import Network
from worker.datasets.photo_features import frozen_network
from worker.evaluation.arrays import Floats
from worker.evaluation.ensembles import distilled_report
from worker.evaluation.measures import measures_of
from worker.evaluation.predictions import on
from worker.machine.context import WorkerContext
from worker.objectives import objective_of
from worker.packaging.averaging import averaged_model
from worker.packaging.one_part import of_one_part
from worker.packaging.temperature import temperature_of
from worker.packaging.with_pictures import with_pictures
from worker.trials.distilling import distilled
from worker.trials.ended_job import EndedJob
from worker.trials.ensembling import temperature_of_members
from worker.trials.trial_data import TrialData


@dataclass(frozen=True, eq=False)
class ServedNetwork:
    """
    raw_model: raw values -> outputs; of an ensemble the mean of `members`.
    weights: in the store, from which other jobs may start.
    card: what the model's card says otherwise than of one seed.
    outputs: on the test items, (n, K), where they are known.
    beside: seeds whose mean is packaged for its cost alone, where it is not served.
    """

    raw_model: keras.Model
    calibration: FittedTemperature
    weights: str
    members: Sequence[keras.Model] = ()
    card: dict[str, Any] = field(default_factory=dict)
    beside: Sequence[keras.Model] = ()
    distilled: DistilledReport | None = None
    outputs: Floats | None = None


def served_network(
    context: WorkerContext,
    ended: EndedJob,
    winner: TrialRow,
    of_arm: Sequence[TrialRow],
    ensemble: EnsembleReport | None,
    folder: Path,
) -> ServedNetwork:
    """
    Args:
        winner: the trial that would be served alone.
        of_arm: all of its arm's at its label budget.
        ensemble: what the report says of it; None where one seed is served.
    """
    storage = context.storage
    members = [t for t in of_arm if ensemble and t.arm == ensemble.arm and t.seed in ensemble.seeds]
    if not members or ensemble is None:
        stored = {t.id: ended.arrays(storage, t) for t in of_arm if t.predictions}
        own = stored.get(winner.id, {})
        calibration = temperature_of(own, list(stored.values()), ended.schema.task)
        network = ended.network(ended.result(storage, str(winner.weights)))
        outputs = own.get("logits_test")
        return ServedNetwork(
            _raw(storage, ended, network), calibration, str(winner.weights), outputs=outputs
        )
    with context.database.read() as session:
        data = [TrialData.of(session, trial) for trial in members]
    told = {
        "kind": ensemble.kind,
        "seeds": [trial.seed for trial in members],
        "trials": [trial.id for trial in members],
    }
    networks = [ended.network(ended.result(storage, str(trial.weights))) for trial in members]
    raw_models = [_raw(storage, ended, network) for network in networks]
    if ensemble.kind == "distill":
        found = _distilled(storage, ended, winner, data, ensemble, folder)
        return replace(found, beside=raw_models, card=found.card | {"distilled": told})
    mean = temperature_of_members(storage, data, networks)
    of_members = [ended.arrays(storage, trial) for trial in members]
    tested = [arrays["logits_test"] for arrays in of_members if "logits_test" in arrays]
    return ServedNetwork(
        averaged_model(raw_models, objective_of(ended.schema.task)),
        mean.fitted,
        str(winner.weights),
        raw_models,
        {
            "ensemble": told | {"judged_by": mean.judged_by},
            "test": ensemble.metrics or None,
            "validation": None,  # no item is one that all of them have held out
        },
        outputs=measures_of(ended.schema.task).averaged(tested) if tested else None,
    )


def _distilled(
    storage: Storage,
    ended: EndedJob,
    winner: TrialRow,
    members: Sequence[TrialData],
    ensemble: EnsembleReport,
    folder: Path,
) -> ServedNetwork:
    measures = measures_of(ended.schema.task)
    weights = [ended.result(storage, str(each.trial.weights)) for each in members]
    start = next((each for each in members if each.trial.id == winner.id), members[0])
    found = distilled(storage, start, members, weights, ended.signal, folder)
    outputs = [ended.arrays(storage, each.trial)["logits_test"] for each in members]
    y = found.predictions.get("y_test")
    report = distilled_report(ensemble, found.student, y, outputs, ended.spec, measures)
    held_out = on("validation", found.predictions)
    arrays: dict[str, Any] = {**found.predictions}
    return ServedNetwork(
        _raw(storage, ended, ended.network(found.weights)),
        temperature_of(arrays, [arrays], ended.schema.task),
        storage.put(found.weights),
        card={
            "test": report.metrics or None,
            "validation": measures.measure(*held_out) if held_out else None,
        },
        distilled=report,
        outputs=found.student.outputs,
    )


def _raw(storage: Storage, ended: EndedJob, network: Network) -> keras.Model:
    seen, sent = ended.schema.inputs, ended.whole_inputs
    model = network.raw_model()
    if isinstance(seen, JoinedInputs) and isinstance(sent, JoinedInputs):
        model = with_pictures(model, seen, sent, partial(frozen_network, cache=storage.cache))
    return of_one_part(model, sent, ended.spec.part)
