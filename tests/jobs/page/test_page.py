"""The page as a browser, a printer and a screen reader get it."""

import json
import re
from collections.abc import Callable

import pytest

from app.jobs.page.page import render
from app.spec.report import Report
from tests.jobs.page.examples import LETTERS, incomplete, job, report, unequal
from tests.jobs.page.label_free import label_free, unmeasured
from tests.jobs.page.markup import Page
from tests.jobs.page.ranked import ranking
from tests.jobs.page.searched import searched
from tests.jobs.page.sliced import SENTENCE, sliced

LONG = "a class whose name is long " * 7


CASES: dict[str, Callable[[], Report]] = {
    "whole": report,
    "incomplete": incomplete,
    "one seed": lambda: report(seeds=1),
    "one seed, no curve": lambda: report(seeds=1, curve=False),
    "no baseline": lambda: report(baseline=False),
    "no calibration": lambda: report(calibrated=False),
    "no winner": lambda: report(winner=None, winner_seed=None, verdict="no_evidence"),
    "no result": lambda: report(
        arms={}, winner=None, winner_seed=None, baseline=None, learning_curve=[], test_items=0
    ),
    "two classes": lambda: report(("yes", "no")),
    "47 classes": lambda: report(tuple(f"class {k}" for k in range(47))),
    "300 classes": lambda: report(tuple(f"class {k}" for k in range(300))),
    "long names": lambda: report((LONG, *LETTERS[1:])),
    "harm": lambda: report(verdict="negative_transfer"),
    "label-free": label_free,
    "label-free, one seed": lambda: label_free(arms=report(seeds=1, baseline=False).arms),
    "label-free, no test labels": unmeasured,
    "sources ranked": ranking,
    "sources ranked and measured": lambda: ranking(measured=True),
    "searched": searched,
    "unequal classes": unequal,
    "slices": sliced,
}


@pytest.mark.parametrize("case", CASES)
def test_every_report_makes_a_page_that_stands_alone(case: str) -> None:
    text = render(job(), CASES[case]())
    page = Page(text)
    assert not {"script", "img", "iframe", "object"} & {tag for tag, _ in page.elements}
    assert page.all("link") == [{"rel": "icon", "href": "data:,"}]
    said = re.sub(r'href="data:[^"]+"', "", text)
    assert not re.search(r"https?:|url\(|@import|None|nan\b|Undefined", said)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    figures = [svg for svg in page.all("svg") if "aria-hidden" not in svg]
    assert all(svg["role"] == "img" for svg in figures)
    assert {name for svg in figures for name in str(svg["aria-labelledby"]).split()} == set(ids)
    assert all(head["scope"] in {"col", "row"} for head in page.all("th"))
    # A wide table scrolls by itself, by keys too: else the whole page is as wide, on a phone.
    scrolls = ("div", {"class": "scroll", "tabindex": "0"})
    tables = [place for place, (tag, _) in enumerate(page.elements) if tag == "table"]
    assert all(page.elements[place - 1] == scrolls for place in tables)


@pytest.mark.parametrize(
    ("verdict", "headline"),
    [
        ("positive_transfer", "The transfer helped"),
        ("no_evidence", "No evidence that the transfer helped"),
        ("negative_transfer", "The transfer did harm"),
    ],
)
def test_the_verdict_is_the_headline_in_words(verdict: str, headline: str) -> None:
    text = render(job(), report(verdict=verdict, reason="because of the numbers"))
    heading = text[text.index("<h1") : text.index("</h1>")]
    assert headline in heading
    assert "because of the numbers" in Page(text).words


def test_the_numbers_that_matter_are_there() -> None:
    words = Page(render(job(), report())).words
    facts = words[words.index("Winner") : words.index("The gain over scratch")]
    for expected in ("lp_ft", "seed 3", "+0.1140", "[+0.0916, +0.1370]", "130", "12\u202fmin 34"):
        assert expected in facts
    assert "scratch needs 2.2 times the labels of lp_ft" in words
    assert "0.6620[0.6460, 0.6780]" in words  # the winner's accuracy with its interval
    assert "−" in words
    assert "convnet: images, and many of them" in words
    assert '"dataset": "catalog:mnist"' in words


def test_parts_of_the_test_items_stand_in_a_section_of_their_own() -> None:
    text = render(job(), sliced())
    assert "<b> c" not in text  # escaped
    words = Page(text).words
    part = words[words.index("Part by part") : words.index("Class by class")]
    assert SENTENCE in part
    assert "a <b> cworst of lp_ft40" in part
    assert "By sex nothing." in part
    forest = part[part.index("Models without a network: accuracy by <hospital>") :]
    assert "forest_on_targetbudapest" in forest.replace(" ", "").replace("\n", "")
    assert "+0.1140[+0.0916, +0.1370], p (Holm)" in part
    assert "Part by part" not in Page(render(job(), report())).words


def test_with_one_seed_no_interval_over_seeds_is_shown() -> None:
    words = Page(render(job(), report(seeds=1))).words
    assert "no interval over seeds" in words
    assert "over test items [+0.0980, +0.1310]" in words
    assert "whiskers" not in words
    assert "[0.6460" not in words


def test_one_test_item_has_no_interval() -> None:
    words = Page(render(job(), report(seeds=1, test_items=1))).words
    assert "over test items [" not in words


def test_chance_is_that_of_the_metric_beside_it() -> None:
    """Of 26 classes guessing is right on one of 26, and an order at random has an AUC of 1/2."""
    found = unequal()
    assert found.reference is not None
    ranked = {**found.reference.majority, "auc": 0.5, "average_precision": 0.02}
    reference = found.reference.model_copy(update={"majority": ranked})
    arms = {
        name: arm.model_copy(
            update={
                "metrics": {
                    **arm.metrics,
                    **dict.fromkeys(("auc", "average_precision"), arm.metrics["accuracy"]),
                }
            }
        )
        for name, arm in found.arms.items()
    }
    words = Page(
        render(job(), found.model_copy(update={"reference": reference, "arms": arms}))
    ).words
    assert "chance 0.0385, always answering a 0.5000" in words  # accuracy
    assert "chance 0.5000, always answering a 0.5000" in words  # AUC
    assert "chance 0.0200, always answering a 0.0200" in words  # average precision


def test_without_a_baseline_no_gain_is_shown() -> None:
    page = Page(render(job(), report(baseline=False)))
    assert "nothing to compare with" in page.words
    assert "The gain over scratch" not in page.words
    assert "Confusion of scratch" not in page.words
    assert page.all("details")[0] == {"open": None}


def test_an_arm_that_has_results_at_other_budgets_alone_stands_in_the_curve() -> None:
    whole = report()
    text = render(job(), report(arms={n: a for n, a in whole.arms.items() if n != "fine_tune"}))
    curve = text[text.index('id="curve-title"') :]
    assert ">fine_tune</text>" in curve[: curve.index("</svg>")]


def test_what_is_missing_is_said() -> None:
    words = Page(render(job(), incomplete())).words
    assert "budget of seconds was spent" in words
    assert "1 trial failed" in words
    assert re.search(r"lp_ft\s*50 labels per class\s*2\s*diverged", words)


def test_what_a_user_named_is_text_and_nothing_else() -> None:
    evil = "<script>alert('1')</script>"
    given = job(name=evil, spec={"tags": {evil: evil}}, deployment=None)
    text = render(given, report((evil, '"><svg onload=x>', "{{ 1 + 1 }}"), warnings=[evil]))
    page = Page(text)
    assert not page.all("script")
    assert not any("onload" in attributes for _, attributes in page.elements)
    assert evil in page.words
    assert "{{ 1 + 1 }}" in page.words


def test_a_matrix_is_a_table_while_its_cells_can_be_told_apart() -> None:
    def matrices(classes: int) -> list[str | None]:
        page = Page(render(job(), report(tuple(str(k) for k in range(classes)))))
        assert "taken for" in page.words
        styles = [table.get("class") or "" for table in page.all("table")]
        return [style for style in styles if "matrix" in style]

    assert matrices(20) == ["matrix small"] * 2
    assert matrices(32) == ["matrix medium"] * 2
    assert matrices(60) == ["matrix large"] * 2
    assert matrices(61) == []


def test_of_very_many_classes_the_figure_shows_the_ends() -> None:
    words = Page(render(job(), report(tuple(f"class {k}" for k in range(300))))).words
    assert "240 classes in the middle are left out" in words


@pytest.mark.parametrize("made", [report(), label_free(), ranking(measured=True), searched()])
def test_the_page_does_not_hang_on_the_order_in_which_a_database_keeps_keys(
    made: Report,
) -> None:
    given = job()
    turned = json.loads(made.model_dump_json(), object_pairs_hook=lambda p: dict(reversed(p)))
    text = render(given, made)
    assert render(given, Report.model_validate(turned)) == text


def test_arms_stand_by_how_good_they_are_behind_the_baseline() -> None:
    text = render(job(), report())
    table = text[text.index("Every arm on the test items") :]
    assert table.index("scratch") < table.index("lp_ft") < table.index("fine_tune")


def test_chance_and_the_commonest_class_stand_beside_the_metrics() -> None:
    words = Page(render(job(), unequal())).words
    beside = "chance 0.0385, always answering a 0.5000"
    facts = words[words.index("Winner") : words.index("The gain over scratch")]
    assert re.search(rf"Accuracy of lp_ft\s*0.6620\s*{beside}", facts)
    table = words[words.index("Every arm on the test items") :]
    assert table.index(beside) < table.index("chance 0.0385, always answering a 0.0400")
    assert "always answering a 0.0267" in table  # F1 macro, of which guessing has no simple figure
    assert "always answering a" not in Page(render(job(), report())).words  # of an older release


def test_what_is_not_known_of_a_class_is_a_dash() -> None:
    words = Page(render(job(), unequal())).words
    assert "zno training item––––––0" in words  # the last of the table


def test_steps_stand_beside_the_epochs() -> None:
    cost = Page(render(job(), unequal())).words
    cost = cost[cost.index("What it cost") :]
    assert "37.42\u202f000300" in cost
    assert "37.41\u202f0000" in cost
    assert "steps per trial" not in Page(render(job(), report())).words


def test_a_corrected_p_value_is_explained_below_the_verdict() -> None:
    words = Page(render(job(), unequal())).words
    assert words.index("p (Holm), 0.23, is corrected for all") < words.index("Winner")
