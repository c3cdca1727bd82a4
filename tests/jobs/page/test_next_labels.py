"""Which items to label next, on the report's page."""

from app.jobs.next_labels.schemas import Ranked
from app.jobs.page.page import render
from tests.jobs.page.examples import job, report
from tests.jobs.page.markup import Page


def test_which_items_to_label_next_stand_on_the_page() -> None:
    curve = {"mean": [0.5, 0.6], "low": [0.4, 0.55], "high": [0.6, 0.65]}
    ranking = Ranked.model_validate(
        {
            "method": "typical",
            "candidates": 80,
            "considered": 80,
            "identifier_column": "<file>",
            "listed": [
                {
                    "split": "train",
                    "index": place,
                    "identifier": f"<b>{place}",
                    "score": 0.01,
                    "guess": {"label": "ca<t", "probability": 0.5},
                }
                for place in range(30)
            ],
            "worth": {
                "metric": "accuracy",
                "draws": 10,
                "items": 500,
                "features": "start",
                "labels": [26, 52],
                "ordered": curve,
                "random": {**curve, "mean": [0.5, 0.57]},
                "gain": 0.03,
                "low": 0.01,
                "high": 0.05,
                "saved": 9,
            },
            "sentence": "In this order 9 labels fewer were as good.",
        }
    )
    text = render(job(), report(), ranking)
    assert "<b>" not in text.partition("Which items to label next")[2].partition("</section>")[0]
    words = Page(text).words
    part = words[words.index("Which items to label next") :]
    assert "In this order 9 labels fewer were as good." in part
    assert "520.6000[0.5500, 0.6500]0.5700" in part.replace("\n", "")
    assert "The first 20 of 30 items" in part
    assert "<b>19" in part
    assert "<b>20" not in part
    assert "Which items to label next" not in Page(render(job(), report())).words
