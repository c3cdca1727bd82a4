"""Small jobs that train every strategy once, as a client would send them.

Datasets stand by their names in `pictures.UPLOADS` and `pictures.PAIRS`.
"""

from typing import Any

Job = dict[str, Any]

MLP: Job = {"backbone": "mlp", "params": {"hidden": [12]}}
CONVNET: Job = {"backbone": "convnet", "params": {"filters": [4], "dense": 8}}
TRAINING: Job = {
    "epochs": 4,
    "learning_rate": 0.005,
    "batch_size": 16,
    "min_steps": 0,
    "augmentation": None,
}
WITH_LABELS = (
    "linear_probe",
    "fine_tune",
    "lp_ft",
    "l2_sp",
    "co_tuning",
    "distill",
    "multi_task",
    "recalibrate",
)
WITHOUT_LABELS = ("adabn", "coral", "dann", "cdan", "mcc", "shot", "adamatch", "linear_coral")
PARAMS: dict[str, Job] = {
    "linear_probe": {"max_epochs": 4},
    "lp_ft": {"max_epochs": 4, "finetune_rate": 0.1},
    "fine_tune": {"backbone_rate": 0.1},
    "co_tuning": {"backbone_rate": 0.1},
    "distill": {"backbone_rate": 0.1},
    "dann": {"hidden": 16},
    "cdan": {"hidden": 16},
}


def _job(strategies: tuple[str, ...], model: Job, **changes: Any) -> Job:
    return {
        "sources": [{"dataset": "source"}],
        "target": {"dataset": "target"},
        "model": model,
        "strategies": [
            {"name": name, "params": PARAMS[name]} if name in PARAMS else name
            for name in strategies
        ],
        "training": TRAINING,
        "evaluation": {"seeds": 1},
        **changes,
    }


def _with_labels(model: Job) -> Job:
    return _job(WITH_LABELS, model, target={"dataset": "target", "labels_per_class": 6})


def _without_labels(model: Job) -> Job:
    model = {**model, "bottleneck": 6}  # BatchNorm for adabn
    return _job(WITHOUT_LABELS, model, target={"dataset": "target", "use_labels": False})


MLPS: dict[str, Job] = {
    "mlp with labels": _with_labels(MLP),
    "mlp without labels": _without_labels(MLP),
}
CONVNETS: dict[str, Job] = {
    "convnet with labels": _with_labels(CONVNET),
    "convnet without labels": _without_labels(CONVNET),
}
OTHERS: dict[str, Job] = {
    # So many seeds that a search may cost a few trainings.
    "auto": _job(
        ("auto",), MLP, training={**TRAINING, "augmentation": "auto"}, evaluation={"seeds": 3}
    ),
    "searched rate": _job(
        ("fine_tune",),
        MLP,
        training={**TRAINING, "learning_rate": "auto"},
        evaluation={"seeds": 3},
    ),
    # Scorings, a pretraining on both, and classes that the target lacks.
    "several sources": _job(
        ("fine_tune",), MLP, sources=[{"dataset": "source"}, {"dataset": "fives"}]
    ),
    # So many steps that XLA compiles them.
    "long": _job(("fine_tune",), MLP, training={**TRAINING, "epochs": 400}),
    "all settings": _job(
        ("fine_tune", "distill"),
        {
            "backbone": "convnet",
            "params": {"filters": [4], "dense": 8, "dropout": 0.2},
            "bottleneck": 6,
            "image_size": [8, 8],
        },
        sources=[{"dataset": "large colours"}],
        target={"dataset": "colours"},
        training={
            **TRAINING,
            "epochs": 3,
            "pretrain_epochs": 2,
            "optimizer": "adamw",
            "learning_rate": 0.003,
            "schedule": "cosine",
            "warmup_epochs": 1,
            "weight_decay": 0.01,
            "gradient_clip_norm": 1.0,
            "label_smoothing": 0.1,
            "ema_momentum": 0.9,
            "early_stopping": {"patience": 2},
            "augmentation": {"strength": "strong", "mirror": True},
        },
        evaluation={"seeds": 2, "learning_curve": [4], "forgetting": True},
        seed=3,
    ),
}
PAIRED: dict[str, Job] = {
    # A source of pictures and rows, a target of pictures.
    "pairs": _job(
        ("modality_distill", "contrastive"),
        {
            "backbone": "fusion",
            "params": {
                "image": {"filters": [4], "dense": 8},
                "table": {"hidden": [6]},
                "width": 8,
                "hidden": [8],
            },
        },
        sources=[{"dataset": "pairs"}],
        target={"dataset": "target", "labels_per_class": 6},
    ),
}
OTHERS |= PAIRED
JOBS = {**MLPS, **CONVNETS, **OTHERS}
