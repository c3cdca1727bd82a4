"""Columns that arms have in the source's rows otherwise than they are, from what their pretrainings
have kept."""

from collections.abc import Sequence

import numpy as np

from app.inputs.columns import CategoryColumn, FlagColumn
from app.inputs.table import TableInputs
from app.spec.plan import PRETRAIN, rewriting_of, sources_of
from app.spec.rewritten_columns import MadeUpColumn, ScaledColumn
from app.spec.shared_columns import SharedColumns
from app.spec.spec import ResolvedSpec
from app.spec.strategies import Rewriting
from worker.evaluation.evidence import TrialResult


def with_rewritten(spec: ResolvedSpec, trials: Sequence[TrialResult]) -> list[SharedColumns]:
    """The columns of each source, with those that arms have written anew: alike in all seeds and
    in all sets of sources that an arm starts from."""
    scaled: dict[int, dict[tuple[str, str], ScaledColumn]] = {}
    made_up: dict[int, dict[tuple[str, str], MadeUpColumn]] = {}
    inputs = spec.inputs
    if not isinstance(inputs, TableInputs):
        return list(spec.columns)
    for trial in sorted(trials, key=lambda each: (each.arm, each.seed)):
        how = rewriting_of(spec, trial.arm)
        if trial.rewritten is None or how is None:
            continue
        arm = trial.arm.removeprefix(f"{PRETRAIN}_").partition("@")[0]
        sources = sources_of(spec, trial.arm)
        for index, place, *figures in trial.rewritten.tolist():
            source = sources[int(index)]
            column = inputs.columns[int(place)]
            key = arm, column.name
            if how == "made_up":
                has_classes = isinstance(column, CategoryColumn | FlagColumn)
                found = _made_up(arm, column.name, has_classes, figures)
                made_up.setdefault(source, {})[key] = found
            else:
                scaled.setdefault(source, {})[key] = _scaled(arm, column.name, how, figures)
    return [
        columns.model_copy(
            update={
                "scaled": list(scaled.get(place, {}).values()),
                "made_up": list(made_up.get(place, {}).values()),
            }
        )
        for place, columns in enumerate(spec.columns)
    ]


def _made_up(arm: str, name: str, has_classes: bool, figures: list[float]) -> MadeUpColumn:
    rows, quality, guessing, is_used = figures
    return MadeUpColumn(
        arm=arm,
        name=name,
        rows=int(rows),
        measure="accuracy" if has_classes else "r2",
        quality=None if np.isnan(quality) else quality,
        guessing=None if np.isnan(guessing) else guessing,
        is_used=bool(is_used),
    )


def _scaled(arm: str, name: str, by: Rewriting, figures: list[float]) -> ScaledColumn:
    assert by != "made_up"
    source_mean, source_deviation, target_mean, target_deviation = figures
    return ScaledColumn(
        arm=arm,
        name=name,
        by=by,
        source_mean=source_mean,
        source_deviation=source_deviation,
        target_mean=target_mean,
        target_deviation=target_deviation,
    )
