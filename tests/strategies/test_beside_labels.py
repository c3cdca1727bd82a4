"""Losses where target items without labels stand beside labelled ones, by independent writings."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from app.spec.strategy_catalogue import CATALOGUE
from tests.strategies.losses import cross_entropy, log_softmax
from tests.training.trials import DOMAIN, SOURCE, images_of, spec
from worker.backbones.network import Architecture, Network
from worker.inputs.image_views import strong, weak
from worker.strategies.coral import distance
from worker.strategies.mcc import confusion
from worker.strategies.recipe import Batch, Phase, Setting, Unlabelled
from worker.strategies.registry import RECIPES
from worker.strategies.seeds import Seeds
from worker.strategies.shot import uncertainty
from worker.training.program import Program

BESIDE = [name for name, entry in CATALOGUE.items() if entry.takes_unlabelled]
UNTRAINED = ("adabn", "linear_coral")  # what they take of such items is measured, no loss
ROWS = {"target": 6, "source": 8, "unlabelled": 10}


@dataclass(frozen=True)
class Scene:
    network: Network
    phase: Phase
    batch: dict[Any, Batch]

    def x(self, stream: str) -> np.ndarray:
        found: np.ndarray = self.batch[stream].x["image"]
        return found

    def logits(self, x: np.ndarray) -> np.ndarray:
        found: np.ndarray = self.network.outputs({"image": x}).numpy()
        return found

    def features(self, *streams: str) -> tf.Tensor:
        return self.network.features({"image": np.concatenate([self.x(each) for each in streams])})

    def loss(self, progress: float) -> float:
        return float(self.phase.loss(self.batch, tf.constant(progress))[0])


def scene(name: str, has_source: bool = True, **params: Any) -> Scene:
    """An MLP has no BatchNorm: what is normalised together changes nothing."""
    job = spec("mlp", {"hidden": [6]}, strategies=(name,))
    chosen = job.arms[name].strategy.params.model_copy(update=params)
    network = Network(Architecture.of(job.model, DOMAIN.schema))
    setting = Setting(job.training, 3, unlabelled=Unlabelled(has_source, has_source))
    phases = RECIPES[name](network, chosen, setting)
    Program(network, phases).initialise(3)
    splits = {
        "target": DOMAIN.train.select(slice(0, 6)),
        "source": SOURCE.train.select(slice(0, 8)),
        "unlabelled": DOMAIN.train.select(slice(6, 16)).without_labels(),
    }
    batch = {
        stream: Batch({"image": np.float32(images_of(split)) / 255}, split.y, split.known)
        for stream, split in splits.items()
        if stream in phases[-1].streams
    }
    return Scene(network, phases[-1], batch)


@pytest.mark.parametrize("has_source", [True, False])
def test_adamatch(has_source: bool) -> None:
    """The source's part before the target's; what is sure is measured by the first."""
    here = scene("adamatch", has_source, threshold=0.97)
    streams = ["source", "target"] if has_source else ["target"]
    assert set(here.phase.streams) == {*streams, "unlabelled"}
    seeds = here.phase.companions[0]
    assert isinstance(seeds, Seeds)
    drawn = seeds.variables[0].numpy()
    x = np.concatenate([here.x(each) for each in (*streams, "unlabelled")])
    z_weak = here.logits(weak(x, drawn).numpy())
    z_strong = here.logits(strong(x, drawn + np.array([0, 1])).numpy())
    expected, start = 0.0, 0
    for stream in streams:
        part = slice(start, start + ROWS[stream])
        y = here.batch[stream].y
        expected += (cross_entropy(z_weak[part], y) + cross_entropy(z_strong[part], y)) / 2
        start += ROWS[stream]
    p = np.exp(log_softmax(z_weak))
    p_s, p_u = p[: ROWS[streams[0]]], p[start:]
    means = [1 / 3 + (each.mean(0) - 1 / 3) / 100 for each in (p_s, p_u)]
    q = p_u * means[0] / means[1]
    q /= q.sum(1, keepdims=True)
    mask = q.max(1) >= 0.97 * p_s.max(1).mean()
    assert 0 < mask.sum() < len(mask)
    of_items = -log_softmax(z_strong[start:])[np.arange(len(q)), q.argmax(1)]
    assert here.loss(0.25) == pytest.approx(expected + 0.5 * (mask * of_items).mean(), rel=1e-4)


def test_adamatch_returns_the_labelled_targets_logits() -> None:
    here = scene("adamatch")
    drawn = here.phase.companions[0].variables[0].numpy()
    x = np.concatenate([here.x(each) for each in ("source", "target", "unlabelled")])
    expected = here.logits(weak(x, drawn).numpy())[8:14]
    _, outputs = here.phase.loss(here.batch, tf.constant(0.0))
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)
    assert here.phase.streams[0] == "target"
    assert here.phase.optimization.ema_warms_up
    assert here.phase.unlabelled_batches == 3


def test_a_new_head_does_not_start_as_the_sources() -> None:
    assert scene("adamatch", has_source=False).phase.source_head is None
    here = scene("adamatch")
    assert here.phase.source_head is here.network.head


@pytest.mark.parametrize("name", ["mcc", "coral"])
def test_two_domains(name: str) -> None:
    """Both domains' labels, and the target's part of all its items."""
    here = scene(name)
    known = sum(
        cross_entropy(here.logits(here.x(each)), here.batch[each].y)
        for each in ("source", "target")
    )
    f_t = here.features("target", "unlabelled")
    if name == "mcc":
        part = float(confusion(here.network.head(f_t), 2.5))
    else:
        part = float(distance(here.features("source"), f_t))
    assert part > 1e-5
    assert here.loss(0.5) == pytest.approx(known + part, rel=1e-4)


def test_shot() -> None:
    here = scene("shot", beta=0.3)
    pseudo = np.arange(10, dtype=np.int32) % 3
    here.batch["unlabelled"] = here.batch["unlabelled"]._replace(y=pseudo)
    z, z_known = here.logits(here.x("unlabelled")), here.logits(here.x("target"))
    expected = float(uncertainty(tf.constant(np.concatenate([z, z_known]))))
    expected += 0.3 * 0.5 * cross_entropy(z, pseudo) + cross_entropy(
        z_known, here.batch["target"].y
    )
    assert here.loss(0.5) == pytest.approx(expected, rel=1e-4)
    assert here.phase.streams == ("unlabelled", "target")


@pytest.mark.parametrize("name", [name for name in BESIDE if name not in UNTRAINED])
def test_the_loss_depends_on_the_labels_there_are_and_on_the_items_without(name: str) -> None:
    here = scene(name)
    first = here.phase.loss(here.batch, tf.constant(0.5))[1]
    rows = ROWS[here.phase.streams[0]]
    assert first.shape == (rows, 3)
    seen = {}
    for change in ("none", "labels", "items"):
        again = scene(name)
        if change == "labels":
            y = (again.batch["target"].y + 1) % 3
            again.batch["target"] = again.batch["target"]._replace(y=y)
        if change == "items":
            x = {"image": again.x("unlabelled")[::-1] * 0.5}
            again.batch["unlabelled"] = again.batch["unlabelled"]._replace(x=x)
        seen[change] = again.loss(0.5)
    assert len(set(seen.values())) == 3, seen
