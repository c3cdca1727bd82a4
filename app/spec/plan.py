"""JobSpec -> trials and their dependencies. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.datasets.schemas import Schema
from app.spec.spec import ResolvedSpec, Sources
from app.spec.strategies import SOURCE_ONLY, SUPERVISED, AutoArm, Rewriting
from app.spec.strategy_catalogue import CATALOGUE
from app.spec.training import Training, held_out

# `bound`: what target labels would have brought; `score`: how well a source suits the target;
# `search`: what an arm's trials are trained with.
# `reference`: what a model of scikit-learn does with the same items.
Role = Literal["pretrain", "score", "search", "baseline", "bound", "transfer", "reference"]
PRETRAIN = "pretrain"
SCORE = "score"
# Roles whose trials are held against test items
MEASURED = ("baseline", "bound", "transfer", "reference")
# Roles without which a job can still say what it was asked
OPTIONAL = ("score", "bound", "reference")

# Role, arm and labels per class: trials that differ in their seeds alone, and so cost the same.
Kind = tuple[str, str, int | None]


@dataclass(frozen=True)
class PlannedTrial:
    role: Role
    arm: str
    seed: int
    labels_per_class: int | None
    depends_on: int | None  # position in the plan

    @property
    def kind(self) -> Kind:
        return self.role, self.arm, self.labels_per_class

    def steps(self, spec: ResolvedSpec, sources: Sequence[Schema], target: Schema) -> int:
        """Optimizer steps, at most: phases that stop at convergence take fewer."""
        items = trained_items(self, spec, sources, target)
        training = final_training(spec, self.role, items)
        if self.role == PRETRAIN:
            return training.epochs * training.steps_per_epoch(items)
        if self.role in {"score", "reference"} or self.arm == SOURCE_ONLY:
            return 1
        if not spec.target.use_labels and rewriting_of(spec, self.arm):
            return 1  # the network of its pretraining as it is
        arm = spec.arms.get(self.arm)
        epochs = arm.strategy.epochs(training.epochs) if arm else training.epochs
        steps = epochs * training.steps_per_epoch(items)
        return steps * spec.evaluation.seeds if self.role == "search" else steps


def planned_steps(
    trials: Sequence[PlannedTrial], spec: ResolvedSpec, sources: Sequence[Schema], target: Schema
) -> list[int]:
    """Planned steps of each trial, at most. A plan of thousands of trials has a few dozen kinds of
    them."""
    kinds = {trial.kind: trial for trial in trials}
    steps = {kind: trial.steps(spec, sources, target) for kind, trial in kinds.items()}
    return [steps[trial.kind] for trial in trials]


def final_training(spec: ResolvedSpec, role: str, items: int) -> Training:
    """Returns the settings of trials of a role on `items` training items, with their final epochs:
    the only place where these are decided. A search may choose others."""
    if role == PRETRAIN:
        return spec.training.pretraining_on(items)
    return spec.training.on(items) if learns_from_labels(spec, role) else spec.training


def learns_from_labels(spec: ResolvedSpec, role: str) -> bool:
    """Tells whether trials of a role see labels of the target: these all get the same least number
    of steps."""
    return role == "bound" or (role != PRETRAIN and spec.target.use_labels)


def hides_labels(spec: ResolvedSpec, role: str) -> bool:
    """Tells whether trials of a role get the target's items without any label."""
    return not spec.target.use_labels and role not in {PRETRAIN, "bound"}


def training_items(
    schema: Schema, labels_per_class: int | None, fraction: float, hidden: bool = False
) -> int:
    """Labelled training items without those held out for validation; all where no label is seen:
    there is none, or they are `hidden`."""
    if hidden or not schema.has_labels("train"):
        items = schema.splits["train"]
        return items - held_out(items, fraction)
    strata = schema.task.strata(schema.class_counts["train"], labels_per_class)
    return sum(count - held_out(count, fraction) for count in strata)


def trained_items(
    trial: PlannedTrial, spec: ResolvedSpec, sources: Sequence[Schema], target: Schema
) -> int:
    """Counts the items of an epoch of a planned trial, without those held out for validation."""
    fraction = spec.training.validation_fraction
    if trial.role == PRETRAIN:
        schemas = [sources[place] for place in sources_of(spec, trial.arm)]
        return sum(training_items(schema, None, fraction) for schema in schemas)
    hidden = hides_labels(spec, trial.role)
    return training_items(target, trial.labels_per_class, fraction, hidden)


def unlabelled_items(schema: Schema, labels_per_class: int | None) -> int:
    """Training items that a label budget leaves without a label: those beyond it, and those that
    have none."""
    counts = schema.class_counts["train"]
    return schema.splits["train"] - sum(schema.task.strata(counts, labels_per_class))


def sources_of(spec: ResolvedSpec, arm: str) -> Sources:
    """Returns what an arm, a pretraining or a scoring starts from; () for those that need no
    source."""
    if arm in spec.arms:
        return spec.arms[arm].sources
    if arm == spec.baseline_arm:
        return spec.baseline_sources
    if arm in spec.references:
        rows = spec.references[arm].rows
        return () if rows == "target" else tuple(range(len(spec.sources)))
    name, at, end = arm.partition("@")
    return spec.source_sets.get(at + end, ()) if name == SCORE or is_pretraining(name) else ()


def is_pretraining(arm: str) -> bool:
    """Tells whether this names a pretraining: `pretrain@2` of a source's rows as they are,
    `pretrain_ARM` of the rows that an arm has written anew."""
    return arm == PRETRAIN or arm.startswith((f"{PRETRAIN}@", f"{PRETRAIN}_"))


def rewriting_of(spec: ResolvedSpec, arm: str) -> Rewriting | None:
    """Returns how an arm, or its own pretraining, has the rows of source tables."""
    found = spec.arms.get(arm.removeprefix(f"{PRETRAIN}_"))
    return found.strategy.rewriting if found else None


def needs_search(spec: ResolvedSpec, arm: str) -> bool:
    """Tells whether something about how the arm is trained is still open. A baseline that trains is
    searched for whatever the others are searched for, by the same means."""
    if arm == spec.baseline_arm:
        return spec.target.use_labels and not spec.space.is_empty
    if arm not in spec.arms:
        return False
    strategy = spec.arms[arm].strategy
    if spec.space.has_settings or (isinstance(strategy, AutoArm) and len(strategy.portfolio) > 1):
        return True
    tried = strategy.portfolio if isinstance(strategy, AutoArm) else (strategy,)
    return spec.space.augmentation and any(CATALOGUE[each.name].augments for each in tried)


def shares_search(spec: ResolvedSpec, arm: str) -> bool:
    """Tells whether nothing but views is open of how a transfer arm is trained: what an item may
    look like depends on the items more than on the strategy."""
    found = spec.arms.get(arm)
    is_plain = found is not None and not isinstance(found.strategy, AutoArm)
    return is_plain and not spec.space.has_settings


def plan(spec: ResolvedSpec, target: Schema | None = None) -> list[PlannedTrial]:
    """Pretrainings first, which the seeds share in turn; then every arm with every seed, on the
    job's own label budget before the learning curve's others: a job that is cut short has answered
    its question first.

    Args:
        target: says whether there are labels for the bound; without it there are.
    """
    return _Plan(spec, target).trials


class _Plan:
    def __init__(self, spec: ResolvedSpec, target: Schema | None) -> None:
        self._spec = spec
        self.trials: list[PlannedTrial] = []
        self._searches: dict[tuple[object, int | None], list[int | None]] = {}
        self._starts: dict[Sources, list[int | None]] = {}  # positions of pretrainings
        for end, sources in spec.source_sets.items():
            self._starts[sources] = self._pretrain(end, sources)
        self._own = {
            name: self._pretrain(f"_{name}", arm.sources)
            for name, arm in spec.arms.items()
            if arm.strategy.rewriting
        }
        if len(spec.sources) > 1 and spec.target.use_labels and spec.has_classes:
            self._score()
        if spec.trains_arms:
            own = spec.target.budget
            for budget in (own, *(other for other in spec.budgets if other != own)):
                self._arms(budget, target is None or target.has_labels("train"))

    def _add(self, trial: PlannedTrial) -> int:
        self.trials.append(trial)
        return len(self.trials) - 1

    def _pretrain(self, end: str, sources: Sources) -> list[int | None]:
        spec = self._spec
        if not all(spec.sources[place].dataset for place in sources):
            return [None]
        return [
            self._add(PlannedTrial("pretrain", f"{PRETRAIN}{end}", spec.seed + number, None, None))
            for number in range(spec.evaluation.pretrain_seeds)
        ]

    def _score(self) -> None:
        spec = self._spec
        for end, sources in spec.source_sets.items():
            if len(sources) == 1:
                first = self._starts[sources][0]
                labels = spec.target.budget
                self._add(PlannedTrial("score", f"{SCORE}{end}", spec.seed, labels, first))

    def _arms(self, budget: int | None, is_labelled: bool) -> None:
        spec = self._spec
        roles: dict[str, Role] = {spec.baseline_arm: "baseline"} if spec.evaluation.baseline else {}
        roles |= dict.fromkeys(spec.arms, "transfer")
        starts = {name: self._starts_of(name, budget) for name in roles}
        bound = spec.evaluation.baseline and not spec.target.use_labels and is_labelled
        for number in range(spec.evaluation.seeds):
            seed = spec.seed + number
            for name, role in roles.items():
                first = starts[name][number % len(starts[name])]
                self._add(PlannedTrial(role, name, seed, budget, first))
            if bound:
                self._add(PlannedTrial("bound", SUPERVISED, seed, budget, None))
        for number in range(spec.evaluation.seeds):
            for arm in spec.references:
                self._add(PlannedTrial("reference", arm, spec.seed + number, budget, None))

    def _starts_of(self, name: str, budget: int | None) -> list[int | None]:
        """What the arm's trials wait for, in turn: pretrainings, or searches after them. Arms with
        the same start of which views alone are open share the search of the first."""
        spec, sources = self._spec, sources_of(self._spec, name)
        starts = self._own.get(name) or self._starts.get(sources, [None])
        if not needs_search(spec, name):
            return starts
        whose = (sources, starts[0]) if shares_search(spec, name) else name
        key = whose, budget
        if key not in self._searches:
            self._searches[key] = [
                self._add(PlannedTrial("search", name, spec.seed + number, budget, start))
                for number, start in enumerate(starts)
            ]
        return self._searches[key]
