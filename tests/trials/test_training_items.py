from dataclasses import replace

import numpy as np
import pytest

from tests.training.trials import Recorder, domain, spec, trial
from worker.training.data import Domain
from worker.training.run import train
from worker.trials import training_items
from worker.trials.training_items import look_back


def test_what_is_stored_of_the_items_that_were_trained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_items, "ITEMS", 24)
    job = spec("convnet", epochs=60, learning_rate=0.01)
    setup = trial("scratch", job, target=domain(items=60))
    found = look_back(train(setup, Recorder()), setup)
    assert {name: array.shape for name, array in found.items()} == {
        "y_train": (24,),
        "logits_train": (24, 3),
        "logits_train_mode": (24, 3),
    }
    for name in ("logits_train", "logits_train_mode"):
        assert np.mean(found[name].argmax(1) == found["y_train"]) > 0.9
    assert not np.array_equal(found["logits_train"], found["logits_train_mode"])


def test_hidden_labels_stay_hidden() -> None:
    setup = trial("scratch", spec())
    whole = setup.target
    hidden = Domain(whole.schema, whole.train.without_labels(), whole.validation)
    network = train(setup, Recorder())
    assert "y_train" not in look_back(network, replace(setup, target=hidden))


def test_without_batch_norm_both_modes_are_one() -> None:
    setup = trial("scratch", spec("mlp"))
    found = look_back(train(setup, Recorder()), setup)
    assert found["logits_train_mode"] is found["logits_train"]
