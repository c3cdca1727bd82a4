"""A job whose trials can be counted: two strategies and scratch, 5 seeds, one pretraining."""

from app.spec.spec import EXAMPLE

COUNTED = EXAMPLE | {
    "strategies": ["lp_ft", "fine_tune"],
    "training": {"epochs": 60, "pretrain_epochs": 5, "augmentation": None},
}
