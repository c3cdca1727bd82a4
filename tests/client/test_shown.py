"""Answers as a notebook shows them, with names of hostile people."""

import json

import pytest

from app.client.ktl.answer import read
from app.client.ktl.answers import Job, Report
from app.client.ktl.shown import ReportPage
from app.jobs.page import told
from app.spec.report import Report as StoredReport
from tests.jobs.page.examples import report as example
from tests.jobs.page.ranked import ranking

HOSTILE = "<img src=x onerror=alert(1)>"
INTERVAL = '{"mean": 0.5, "low": 0.4, "high": 0.6}'


def report(arm: str) -> Report:
    return read(
        Report,
        f"""{{"verdict": "positive_transfer", "reason": "{HOSTILE}", "confidence": 0.95,
        "primary_metric": "accuracy", "baseline": "scratch", "winner": "{arm}",
        "warnings": ["{HOSTILE}"], "arms": {{
          "{arm}": {{"metrics": {{"accuracy": {INTERVAL}}}, "gain":
            {{"mean": 0.1, "low": 0.05, "high": 0.15, "overall": {{"low": 0.01, "high": 0.2}}}}}},
          "scratch": {{"metrics": {{"accuracy": {{"mean": 0.4, "low": null, "high": null}}}},
            "gain": null}}}}}}""",
    )


def test_a_report_shows_its_verdict_and_its_arms():
    shown = report("lp_ft")._repr_html_()
    assert "<b>The transfer helped.</b>" in shown
    assert shown.index("<td>scratch</td>") < shown.index("<td>lp_ft *</td>")
    assert "<td>+0.1000</td><td>+0.0100 … +0.2000</td>" in shown  # the verdict's interval


def test_what_is_not_nothing_is_not_shown_as_nothing():
    shown = read(
        Report,
        """{"verdict": "no_evidence", "reason": "", "confidence": 0.95, "primary_metric": "mae",
        "baseline": "scratch", "winner": "lp_ft", "warnings": [], "arms": {"lp_ft": {"metrics":
        {"mae": {"mean": 48213.42, "low": null, "high": null}}, "gain": {"mean": -0.00003,
        "low": 1e-15, "high": 1234.5, "overall": null}}}}""",
    )._repr_html_()
    assert "<td>48,213.4</td>" in shown
    assert "<td>-3e-05</td><td>0.0000 … +1,234.5</td>" in shown


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"verdict": "negative_transfer"},
        {"verdict": "no_evidence"},
        {"baseline": None},
        {"baseline": None, "arms": ["lp_ft"]},
        {"baseline": None, "winner": None, "arms": []},
    ],
)
def test_the_headline_is_the_pages(changes):
    said = example().model_dump(mode="json", by_alias=True)
    arms = changes.get("arms", said["arms"])
    said |= {**changes, "arms": dict.fromkeys(arms, said["arms"]["lp_ft"])}
    shown = read(Report, json.dumps(said))._repr_html_()
    assert f"<b>{told.headline(StoredReport.model_validate(said))}.</b>" in shown


def test_a_ranking_does_not_speak_of_transfer():
    said = ranking().model_dump(mode="json", by_alias=True)
    shown = read(Report, json.dumps(said))._repr_html_()
    assert f"<b>{said['transferability']['headline']}.</b>" in shown


def test_no_name_becomes_markup():
    assert "<img" not in report(HOSTILE)._repr_html_()
    assert "<script" not in ReportPage('<script>"</script>')._repr_html_()


def test_a_member_that_is_not_there_says_which_are():
    job = read(Job, '{"id": "job_1", "items": 5, "from": "ds_1"}')
    assert (job.items_, job.from_, [*job]) == (5, "ds_1", ["id", "items", "from"])
    assert {"id", "items_"} <= {*dir(job)}
    with pytest.raises(AttributeError, match="expected one of id, items, from; got statsu"):
        job.statsu  # noqa: B018
