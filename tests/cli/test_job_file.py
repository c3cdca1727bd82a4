import io
from pathlib import Path

import pytest

from app.cli.job_file import Named, Unusable, apply, read


@pytest.fixture
def spec():
    return {"sources": [{"dataset": "catalog:mnist"}], "training": {"epochs": 10}}


def test_values_are_json_or_else_strings(spec):
    apply(spec, "training.epochs=3")
    apply(spec, "sources.0.dataset=ds_1")
    apply(spec, 'strategies=["lp_ft"]')
    apply(spec, "name=a=b")
    assert spec == {
        "sources": [{"dataset": "ds_1"}],
        "training": {"epochs": 3},
        "strategies": ["lp_ft"],
        "name": "a=b",
    }


def test_members_are_made_on_the_way(spec):
    apply(spec, "deploy.name=letters")
    assert spec["deploy"] == {"name": "letters"}


def test_a_list_item_is_replaced(spec):
    apply(spec, 'sources.0={"dataset": "ds_2"}')
    assert spec["sources"] == [{"dataset": "ds_2"}]


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("training.epochs", "expected PATH=VALUE"),
        ("=3", "expected PATH=VALUE"),
        ("sources.1.dataset=ds_1", "expected an index below 1, got `1`"),
        ("sources.first=ds_1", "expected an index below 1, got `first`"),
        ("training.epochs.more=1", "expected an object or a list before `more`, got 10"),
    ],
)
def test_a_path_that_leads_nowhere(spec, setting, complaint):
    with pytest.raises(Unusable, match=complaint):
        apply(spec, setting)


def test_standard_input(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.stdin", io.StringIO('{"seed": 1}'))
    assert read(tmp_path.__class__("-"), ["seed=2"]) == {"seed": 2}


@pytest.mark.parametrize(
    ("text", "complaint"), [("[1]", "expected a JSON object, got list"), ("{", "expected JSON")]
)
def test_no_job(tmp_path, text, complaint):
    (tmp_path / "job.json").write_text(text)
    with pytest.raises(Unusable, match=complaint):
        read(tmp_path / "job.json")


def test_no_file(tmp_path):
    with pytest.raises(Unusable, match="No such file"):
        read(tmp_path / "job.json")


@pytest.mark.parametrize("value", ["NaN", "1e999", '"\\ud800"', '"\\u0000"', "9" * 5000])
def test_what_no_service_takes_is_said_here(tmp_path, spec, value):
    (tmp_path / "job.json").write_text(f'{{"training": {{"epochs": {value}}}}}')
    with pytest.raises(Unusable, match=r"job\.json: #/training/epochs: expected"):
        read(tmp_path / "job.json")
    with pytest.raises(Unusable, match=r"--set seed: #: expected"):
        apply(spec, f"seed={value}")


def test_a_file_of_nothing_but_brackets(tmp_path):
    (tmp_path / "job.json").write_text("[" * 100_000)
    with pytest.raises(Unusable, match="levels of nesting"):
        read(tmp_path / "job.json")


def test_a_job_without_a_file() -> None:
    named = Named(["ds_1", "mdl_2", "catalog:digits"], "ds_3", "ward")
    assert read(None, ["training.epochs=3"], named) == {
        "sources": [{"dataset": "ds_1"}, {"model": "mdl_2"}, {"dataset": "catalog:digits"}],
        "target": {"dataset": "ds_3"},
        "deploy": {"name": "ward"},
        "training": {"epochs": 3},
    }
    with pytest.raises(Unusable, match="expected a file with a job, or --source and --target"):
        read(None, (), Named(target="ds_3"))


def test_what_is_named_stands_in_the_files_place(tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    path.write_text('{"sources": [{"dataset": "a"}], "target": {"dataset": "b", "labels": 5}}')
    assert read(path, (), Named(["c"], "d")) == {
        "sources": [{"dataset": "c"}],
        "target": {"dataset": "d", "labels": 5},
    }
