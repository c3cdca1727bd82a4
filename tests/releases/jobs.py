"""What the stored installation was asked to do: a job of each kind, as small as can be."""

from typing import Any

Json = dict[str, Any]

MLP: Json = {"backbone": "mlp", "params": {"hidden": [8]}}
CONVNET: Json = {"backbone": "convnet", "params": {"filters": [4], "dense": 8}, "bottleneck": 6}
QUICK: Json = {"epochs": 3, "batch_size": 16, "min_steps": 0, "augmentation": None}
DIVERGING: Json = {**QUICK, "optimizer": "adamw", "learning_rate": 10, "weight_decay": 1}


def job(name: str, sources: list[Json], target: Json, /, **changes: Any) -> Json:
    return {
        "name": name,
        "sources": sources,
        "target": target,
        "model": MLP,
        "strategies": ["fine_tune"],
        "training": QUICK,
        "evaluation": {"seeds": 1},
        **changes,
    }


def long_job(name: str, source: str, target: str) -> Json:
    """Takes seconds, of small batches, so that few epochs are recorded before it is interrupted."""
    training = {**QUICK, "epochs": 300, "batch_size": 4}
    datasets = [{"dataset": source}], {"dataset": target}
    return job(name, *datasets, model=CONVNET, training=training)


def queued_job(source: str, target: str) -> Json:
    return job("queued", [{"dataset": source}], {"dataset": target}, seed=1)


def on_a_model(model: str, target: str) -> Json:
    """Its model takes another's place in the deployment."""
    deploy = {"name": "patterns", "when": "always"}
    return job("on a model", [{"model": model}], {"dataset": target}, deploy=deploy)


def ended_jobs(source: str, other: str, target: str, unlabelled: str) -> list[Json]:
    """Those that ran to their end, in this order; of the first comes a model that others use."""
    of_source, few = [{"dataset": source}], {"dataset": target, "labels_per_class": 6}
    return [
        job(
            "curve",
            of_source,
            few,
            strategies=["fine_tune", {"name": "lp_ft", "params": {"max_epochs": 15}}],
            evaluation={"seeds": 2, "learning_curve": [3], "forgetting": True},
            deploy={"name": "patterns", "when": "always"},
            tags={"made": "for tests"},
        ),
        job(
            "adapted",
            of_source,
            {"dataset": unlabelled, "use_labels": False},
            model=CONVNET,
            strategies=["adabn", "shot"],
            evaluation={"seeds": 2},
            deploy={"name": "adapted", "when": "always"},
        ),
        job("searched", of_source, few, strategies=["auto"], evaluation={"seeds": 3}),
        job("ranked", [*of_source, {"dataset": other}], few, kind="rank", strategies=["auto"]),
        job(
            "broken",
            of_source,
            few,
            model={"backbone": "mlp", "params": {"hidden": [8, 8, 8, 8]}},
            training=DIVERGING,
        ),
    ]
