"""What stands behind a report's short words, on the page and on the command line alike."""

from typing import Any

import pytest

from app.cli import verdict
from app.jobs.page import told
from app.jobs.page.page import render
from app.spec.report import Report
from tests.jobs.page.examples import job, report
from tests.jobs.page.markup import Page
from tests.jobs.page.searched import searched


def of_arms(*names: str, **changes: Any) -> Report:
    arms = dict(report().arms)
    return report(arms=dict.fromkeys(names, arms["lp_ft"]), **changes)


def searching(*chosen: str) -> Report:
    """An arm `auto` for which the search of each seed chose another strategy."""
    (search, untried) = searched().searches
    searches = [
        search.model_copy(update={"seed": seed, "chosen": {"strategy": {"name": name}}})
        for seed, name in enumerate(chosen)
    ]
    return of_arms("auto", searches=[*searches, untried])


def test_auto_says_what_it_became() -> None:
    assert told.behind(searching("lp_ft", "lp_ft")) == {"auto": "became lp_ft"}
    several = searching("lp_ft", "mcc", "lp_ft", "lp_ft")
    words = "became lp_ft for 3 of 4 seeds and mcc for 1"
    assert told.behind(several) == {"auto": words}
    assert f"auto{words}" in Page(render(job(), several)).words.replace("\n", "")


def test_an_arm_says_which_source_it_starts_from(capsys: pytest.CaptureFixture[str]) -> None:
    found = of_arms("lp_ft", "lp_ft@2", "lp_ft@all", "lp_ft@7")
    names = ["digits", "<b>letters</b>"]
    assert told.behind(found, names) == {
        "lp_ft@2": "from <b>letters</b>",
        "lp_ft@all": "from all of digits, <b>letters</b>",
    }
    assert told.behind(found) == {}  # of old jobs the names may not be known
    two = job(sources=["ds_1", "ds_2"], source_names=names)
    assert "from &lt;b&gt;letters&lt;/b&gt;" in render(two, found)
    verdict.show(found, names)
    assert "lp_ft@2: from <b>letters</b>" in capsys.readouterr().out


def test_a_headline_without_a_baseline_says_what_is_known(
    capsys: pytest.CaptureFixture[str],
) -> None:
    without = report(baseline=False)
    assert told.headline(without).startswith(f"{without.winner} ")
    assert told.headline(without).endswith("is open without a baseline")
    text = render(job(), without)
    heading = text[text.index("<h1") : text.index("</h1>")]
    assert told.headline(without) in heading
    verdict.show(without)
    assert "No evidence" not in capsys.readouterr().out
    none = without.model_copy(update={"winner": None})
    assert told.headline(none) == "No arm has results"


def test_the_title_names_source_and_target() -> None:
    assert "<title>The transfer helped – digits to letters</title>" in render(job(), report())
    own = job(name="Monday", source_names=["a & b"], target_name="c")
    assert "<title>The transfer helped – a &amp; b to c (Monday)</title>" in render(own, report())


def test_no_figure_is_explained_that_is_not_there() -> None:
    assert "On the diagonal" in Page(render(job(), report())).words
    arms = {
        name: arm.model_copy(update={"calibration": None}) if name != "fine_tune" else arm
        for name, arm in report().arms.items()
    }
    words = Page(render(job(), report(arms=arms))).words
    assert "Expected calibration error" in words
    assert "On the diagonal" not in words
