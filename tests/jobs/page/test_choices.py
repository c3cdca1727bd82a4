"""What was chosen, and by what: strategies without labels, sources, settings."""

import re

from app.jobs.page.page import render
from tests.jobs.page.examples import job, report
from tests.jobs.page.label_free import label_free, unmeasured
from tests.jobs.page.markup import Page
from tests.jobs.page.ranked import ranking
from tests.jobs.page.searched import searched


def test_without_target_labels_the_choice_stands_apart_from_the_oracle() -> None:
    text = render(job(), label_free())
    words = Page(text).words
    assert "scratch" not in words.replace("from scratch", "scratch")
    assert "0no labels of the target" in words
    choice = words[words.index("Chosen without labels") : words.index("Apart from it: the oracle")]
    assert choice.index("dannwinner2.1000[2.0000, 2.2000]") < choice.index("cdan1.9000")
    assert "of its trials the one of seed 2" in choice
    assert "cdan, with accuracy 0.6620 [0.6460, 0.6780]" in words
    assert "lies 0.0610 below it" in words
    assert 'target_supervised<span class="badge">bound</span>' in text
    assert "target_supervised is a bound" in words
    assert "← source_only is better" in words
    assert "The gain over source_only" in words
    assert "the temperature) is chosen on validation items" not in words


def test_without_the_tests_labels_there_is_no_oracle() -> None:
    words = Page(render(job(), unmeasured())).words
    assert "dannwinner2.1000" in words
    assert "Unknown: the target's test items have no labels" in words


def test_a_ranking_without_arms_is_a_page_of_its_own() -> None:
    page = Page(render(job(), ranking()))
    assert "letters suits best" in page.words
    assert "3 of 4 scores put it first" in page.words
    assert "Most promisinglettersby LogME, of 2" in re.sub("\n", "", page.words)
    assert "No evidence" not in page.words
    assert "Winner" not in page.words
    assert "No arm was trained" in page.words
    assert "measured" not in page.words
    assert re.search(r"2: letters\s*0.5200−0.4100–0.91000.9000––", page.words)
    assert re.search(
        r"1: digitsits labels look like noise: right on 0.11 of 143 held-out items\s*"
        "0.3300−0.77003.10000.85000.80001.25000.0625",
        page.words,
    )


def test_a_ranking_of_an_old_release_goes_by_references() -> None:
    report = ranking()
    assert report.transferability
    bare = [each.model_copy(update={"name": None}) for each in report.transferability.ranking]
    found = report.transferability.model_copy(
        update={"headline": "", "reason": "", "ranking": bare}
    )
    words = Page(render(job(), report.model_copy(update={"transferability": found}))).words
    assert "The sources were ranked" in words
    assert "Most promisingsource 2by LogME, of 2" in re.sub("\n", "", words)
    assert re.search(r"2: mdl_2\s*0.5200", words)


def test_a_measured_ranking_says_how_good_it_was() -> None:
    words = Page(render(job(), ranking(measured=True))).words
    assert "0.6620[0.6460, 0.6780]lp_ft@2" in words
    assert "LogME+1.0000–0.0000" in words
    assert "The transfer helped" in words
    assert "letters suits best: logme 0.5200" in words


def test_the_headline_of_a_measured_ranking_answers_what_was_asked() -> None:
    asked = job().model_copy(update={"spec": {**job().spec, "kind": "rank"}})
    headline = render(asked, ranking(measured=True)).partition("<h1")[2].partition("</h1>")[0]
    assert headline.strip().endswith("letters suits best")


def test_a_search_says_what_it_tried_and_why_it_chose() -> None:
    words = Page(render(job(), searched())).words
    assert "auto with 5 labels per class" in words
    assert "is trained with lp_ft, learning rate 0.003, epochs 30, found in 12.0\u202fs" in words
    assert "lp_ft: accuracy 0.700 on 40 held-out items." in words
    assert "the source's features on the target: leep -1.31, probe 0.62." in words
    assert "l2_splearning rate 0.003, backbone rate 0.125\u202f%2–3.5\u202fs0.100 ± 0.020" in words
    assert "is trained with the baseline, found" in words
    assert "What was tried for scratch" not in words
    assert "lp_ftwinner48.2\u202fs12.0\u202fs1\u202fmin 36\u202fs2\u202fmin 37\u202fs" in words
    assert "search" not in Page(render(job(), report())).words


def test_what_was_forgotten_stands_by_arm() -> None:
    words = Page(render(job(), searched())).words
    forgotten = words[words.index("What it forgot") :]
    assert "0.9910[0.9900, 0.9920]0.8450[0.8250, 0.8650]−0.1460[−0.1660, −0.1260]" in forgotten
    assert "What it forgot" not in Page(render(job(), report())).words


def test_no_difference_has_no_sign() -> None:
    choice = label_free().label_free
    assert choice is not None
    same = label_free(label_free=choice.model_copy(update={"regret": 0.00001}))
    assert "the choice without labels equals it." in Page(render(job(), same)).words
