"""Settings that are worth a try: Optuna's tree-structured Parzen estimator, asked and told.

Bergstra et al., "Algorithms for hyper-parameter optimization", NeurIPS 2011.

Optuna is imported when a search first tunes: it takes half a second.
"""

from collections.abc import Sequence
from math import ceil, log10
from typing import TYPE_CHECKING, Any

from app.spec.outcomes import Candidate
from app.spec.strategies import Searched
from app.spec.training import Space, Training

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial

RATE_RANGE = 10.0  # the default over and times this
DECAY_EXPONENTS, NO_DECAY_BELOW = (-6.0, -2.0), -5.0  # of 10; a quarter of the range is no decay
LEAST_EPOCHS = 0.25  # of the job's
OF_SCRATCH: Searched = {"learning_rate": None, "weight_decay": None, "epochs": None}
AT_RANDOM = 4  # trials before the estimator has a say, the defaults among them


def dimensions(candidate: Candidate, space: Space) -> dict[str, str | None]:
    """Dimensions of a search: setting -> the strategy's own parameter for it, None where it is the
    job's setting."""
    strategy = candidate.strategy
    found = strategy.searched if strategy else OF_SCRATCH
    return {name: own for name, own in found.items() if getattr(space, name)}


class Proposals:
    """Equal answers give equal proposals."""

    def __init__(
        self, defaults: Sequence[Candidate], space: Space, training: Training, seed: int
    ) -> None:
        """`defaults`: of different strategies."""
        import optuna
        from optuna.distributions import CategoricalDistribution, FloatDistribution

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._defaults = {each.name: each for each in defaults}
        self._space, self._training = space, training
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=AT_RANDOM)
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._distributions: dict[str, BaseDistribution] = {
            "strategy": CategoricalDistribution(tuple(self._defaults)),
        }
        if space.learning_rate:
            self._distributions["learning_rate"] = FloatDistribution(
                1 / RATE_RANGE, RATE_RANGE, log=True
            )
        if space.weight_decay:
            self._distributions["weight_decay"] = FloatDistribution(*DECAY_EXPONENTS)
        if space.epochs:
            self._distributions["epochs"] = FloatDistribution(LEAST_EPOCHS, 1.0)
        self._asked: Trial | None = None

    def tell_default(self, candidate: Candidate, value: float) -> None:
        """Tells how good a default is, before anything is asked."""
        from optuna.trial import create_trial

        own = dimensions(candidate, Space(weight_decay=True)).get("weight_decay")
        owner = candidate.strategy.params if candidate.strategy and own else self._training
        decay = max(owner.weight_decay, 10 ** DECAY_EXPONENTS[0])  # type: ignore[union-attr]  # own
        exponent = min(log10(decay), DECAY_EXPONENTS[1])
        settings = {"learning_rate": 1.0, "weight_decay": exponent, "epochs": 1.0}
        params: dict[str, Any] = {"strategy": candidate.name}
        params |= {name: settings[name] for name in settings if name in self._distributions}
        self._study.add_trial(
            create_trial(params=params, distributions=self._distributions, value=value)
        )

    def ask(self) -> Candidate:
        self._asked = self._study.ask(self._distributions)
        proposed = self._asked.params
        candidate = self._defaults[proposed["strategy"]]
        for name, own in dimensions(candidate, self._space).items():
            if own:
                default = getattr(candidate.strategy and candidate.strategy.params, own)
                candidate = candidate.with_params(**{own: _setting(name, proposed[name], default)})
            else:
                default = getattr(self._training, name)
                value = _setting(name, proposed[name], default)
                candidate = candidate.model_copy(update={name: value})
        return candidate

    def tell(self, value: float | None) -> None:
        """Tells the score of what was asked last; None where it could not be trained."""
        from optuna.trial import TrialState

        if self._asked is None:
            raise ValueError("tell: expected a candidate to have been asked for, got none")
        state = TrialState.FAIL if value is None else TrialState.COMPLETE
        self._study.tell(self._asked, value, state)


def _setting(name: str, proposed: float, default: float) -> float | int:
    match name:
        case "learning_rate":
            return min(10.0, float(f"{default * proposed:.3g}"))
        case "weight_decay":
            return 0.0 if proposed < NO_DECAY_BELOW else float(f"{10**proposed:.3g}")
        case _:
            return ceil(proposed * default)
