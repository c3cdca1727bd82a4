import pytest

from app.spec.plan import PRETRAIN
from app.spec.strategies import BASELINE, SOURCE_ONLY
from app.spec.strategy_catalogue import CATALOGUE
from tests.training.trials import DOMAIN, STEPLESS, spec
from worker.backbones.network import Architecture, Network
from worker.strategies import seeds_distill
from worker.strategies.recipe import Phase, Setting
from worker.strategies.registry import RECIPES


def test_the_worker_runs_what_the_catalogue_offers() -> None:
    assert set(RECIPES) == {*CATALOGUE, BASELINE, SOURCE_ONLY, PRETRAIN, seeds_distill.NAME}


@pytest.mark.parametrize("name", RECIPES)
def test_a_phase_trains_no_variable_twice(name: str) -> None:
    job = spec("convnet")
    network = Network(Architecture.of(job.model, DOMAIN.schema))
    params = CATALOGUE[name].choice(name=name).params if name in CATALOGUE else None
    setting = Setting(job.training, source_classes=5)
    phases: tuple[Phase, ...] = RECIPES[name](network, params, setting)
    assert phases
    for phase in phases:
        trained = [id(variable) for group in phase.groups for variable in group.variables]
        assert len(trained) == len(set(trained))
        assert trained or name in {SOURCE_ONLY, *STEPLESS}
