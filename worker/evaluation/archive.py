"""The report from what is stored of a job: in the store, or in the archive that
`GET /v1/jobs/{id}/predictions` answers."""

import zipfile
import zlib
from collections.abc import Callable, Mapping, Set
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from app.jobs.schemas import EvidenceOut, EvidenceTrial
from app.spec.ensemble_report import DistilledReport, EnsembleCost
from app.spec.outcomes import outcome_of
from app.spec.report import Report
from app.spec.spec import Choice, ResolvedSpec
from app.tasks.classification import Classification
from worker.evaluation.evidence import TrialResult
from worker.evaluation.predictions import ARRAYS
from worker.evaluation.report import build_report

Arrays = Mapping[str, NDArray[Any]]

JOB_FILE = "job.json"
WORDS = frozenset({"reason", "sentence", "headline", "warnings", "multiplicity"})  # of a report
TOLERANCE = 1e-9  # processors differ in the last bits of exp and log


class BadArchive(ValueError):
    """It is not what the service answers."""


def report_of(evidence: EvidenceOut, arrays_of: Callable[[str], Arrays]) -> Report:
    """The report that is stored of a job is made by this function too.

    Args:
        arrays_of: reads the arrays that a trial's `predictions` names.
    """
    report = build_report(
        ResolvedSpec.model_validate(evidence.spec),
        [_result(trial, arrays_of) for trial in evidence.trials],
        evidence.task or Classification(classes=tuple(evidence.classes)),
        evidence.class_counts,
        [Choice.model_validate(choice) for choice in evidence.selection],
        evidence.source_names,
        datasets=evidence.datasets,
        training_items=evidence.training_items,
    )
    stored = (evidence.report or {}).get("ensemble") or {}
    return with_packaged(report, stored.get("cost"), stored.get("distilled"))


def with_packaged(
    report: Report,
    cost: EnsembleCost | dict[str, Any] | None,
    distilled: DistilledReport | dict[str, Any] | None,
) -> Report:
    """Adds what was measured once, where an ensemble was packaged, and is no function of the
    trials' predictions: what it costs, and the network that has learnt it."""
    if report.ensemble is None or cost is None:
        return report
    found = report.ensemble.model_copy(
        update={
            "cost": EnsembleCost.model_validate(cost),
            "distilled": distilled and DistilledReport.model_validate(distilled),
        }
    )
    return report.model_copy(update={"ensemble": found})


def read_arrays(file: Path | BinaryIO) -> Arrays:
    with np.load(file, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def recompute(path: Path) -> tuple[Report, dict[str, Any] | None]:
    """The report made anew from an archive, and the one stored in it, if any: with what reports of
    its release did not yet say as this one's are where there is nothing to say.

    Raises:
        BadArchive: it cannot be read, or a part of it is missing or of another shape.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            evidence = EvidenceOut.model_validate_json(archive.read(JOB_FILE))

            def arrays_of(name: str) -> Arrays:
                with archive.open(name) as file:
                    return read_arrays(file)  # type: ignore[arg-type]  # it can seek

            made = report_of(evidence, arrays_of)
            return made, _as_now(evidence.report, made)
    except ValidationError as error:
        first = error.errors()[0]
        where = "/".join(str(part) for part in first["loc"])
        raise BadArchive(f"{path}: {JOB_FILE}: {where}: {first['msg']}") from error
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, LookupError, ValueError) as error:
        reason = error.args[0] if isinstance(error, KeyError) else error
        raise BadArchive(f"{path}: expected an archive of predictions, got {reason}") from error


def _as_now(stored: dict[str, Any] | None, made: Report) -> dict[str, Any] | None:
    """Metrics that its release did not measure are taken from `made`: there is nothing to hold
    them against. Labels to reach what an arm at chance has were told once."""
    if not stored:
        return stored
    now = stored | Report.model_validate(stored).model_dump(mode="json")
    fresh = made.model_dump(mode="json")
    at_chance = (fresh["reference"] or {}).get("not_above", ())
    for name, arm in now["arms"].items():
        if name in at_chance:
            arm["labels_to_reach"] = None
        arm["metrics"] = fresh["arms"].get(name, arm)["metrics"] | arm["metrics"]
    if now["reference"] and fresh["reference"]:
        majority = fresh["reference"]["majority"] | now["reference"]["majority"]
        now["reference"]["majority"] = majority
        if "is_imbalanced" not in stored["reference"]:
            now["reference"]["is_imbalanced"] = fresh["reference"]["is_imbalanced"]
    return now


def first_difference(
    stored: Any, made: Any, place: str = "#", apart_from: Set[str] = frozenset()
) -> str | None:
    """First place where two JSON values differ, as a pointer and both values; None where they are
    equal but for the last bits of their numbers. `apart_from`: members that are not looked at."""
    if isinstance(stored, dict) and isinstance(made, dict):
        if missing := sorted(stored.keys() ^ made.keys()):
            side = "stored" if missing[0] in stored else "recomputed"
            return f"{place}/{missing[0]}: only in the {side} report"
        parts = ((key, stored[key], made[key]) for key in stored if key not in apart_from)
    elif isinstance(stored, list) and isinstance(made, list) and len(stored) == len(made):
        parts = ((str(k), *pair) for k, pair in enumerate(zip(stored, made, strict=True)))
    else:
        return None if _alike(stored, made) else f"{place}: stored {stored}, recomputed {made}"
    found = (
        first_difference(one, other, f"{place}/{key}", apart_from) for key, one, other in parts
    )
    return next((difference for difference in found if difference), None)


def _alike(stored: Any, made: Any) -> bool:
    if isinstance(stored, float) and isinstance(made, float):
        return bool(np.isclose(stored, made, rtol=TOLERANCE, atol=TOLERANCE))
    return bool(stored == made)


def _result(trial: EvidenceTrial, arrays_of: Callable[[str], Arrays]) -> TrialResult:
    arrays: Arrays = arrays_of(trial.predictions) if trial.predictions else {}
    fields: dict[str, Any] = trial.model_dump(exclude={"predictions"})
    fields |= {name: arrays.get(name) for name in ARRAYS}
    fields["outcome"] = outcome_of(trial.role, trial.outcome)
    return TrialResult(**fields)
