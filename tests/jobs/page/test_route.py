"""GET /v1/jobs/{id}/report, asked for as a page."""

import re
from base64 import b64encode
from hashlib import sha256
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from app.database import Database
from app.jobs.page.route import page_response, wants_html
from app.tables.jobs import JobRow
from tests.jobs.factories import add_dataset, add_job
from tests.jobs.page.examples import job, report

POLICY = "Content-Security-Policy"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


def request(**headers: str) -> Request:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "headers": pairs})


@pytest.mark.parametrize(
    "accept",
    [
        BROWSER,
        "text/html",
        "TEXT/HTML",
        "text/*",
        "application/json;q=0.5, text/html;q=0.6",
        "text/html;level=1;q=0.3, application/json;q=0",
        "application/*;q=0.2, text/html;q=0.3",
        "*/*, application/json;q=0.9",
    ],
)
def test_a_page_for_who_prefers_one(accept: str) -> None:
    assert wants_html(request(accept=accept))


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/json",
        "text/html, application/json",
        "text/html;q=0.5, */*;q=0.8",
        "text/html;q=0",
        "*/*, text/html;q=0.1",
        "text/html;q=nan",
        "text/html;q=2",
        "text/csv",
        "image/png;;, ;q=1,",
    ],
)
def test_json_for_all_others(accept: str) -> None:
    assert not wants_html(request(accept=accept))
    assert not wants_html(request())


def test_a_page_is_not_sent_twice() -> None:
    asked = job()
    first = page_response(request(), asked, report())
    assert first.status_code == 200
    assert first.headers["content-type"] == "text/html; charset=utf-8"
    assert first.headers["vary"] == "Accept"
    again = page_response(request(if_none_match=first.headers["etag"]), asked, report())
    assert (again.status_code, again.body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["vary"] == "Accept"
    other = page_response(request(), asked, report(verdict="no_evidence"))
    assert other.headers["etag"] != first.headers["etag"]


def test_a_page_shows_itself_and_runs_nothing() -> None:
    answer = page_response(request(), job(name="<style>*{}</style><script>1</script>"), report())
    policy = dict(part.split(" ", 1) for part in answer.headers[POLICY].split("; "))
    assert policy["default-src"] == "'none'"
    page = bytes(answer.body).decode()
    sheets = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    hashes = [b64encode(sha256(sheet.encode()).digest()).decode() for sheet in sheets]
    assert policy["style-src"] == " ".join(f"'sha256-{each}'" for each in hashes)
    assert not re.search(r"<script| style=| on\w+=", page)


def test_one_address_answers_both(client: httpx.Client, database: Database) -> None:
    source, target = (add_dataset(database, project="default") for _ in range(2))
    job_id = add_job(database, source, target, project="default")
    with database.write() as session:
        session.get_one(JobRow, job_id).report = report().model_dump(mode="json")

    def ask(accept: str, **headers: Any) -> httpx.Response:
        path = f"/v1/jobs/{job_id}/report"
        return client.get(path, headers={"Accept": accept, **headers})

    page, plain = ask(BROWSER), ask("*/*")
    assert page.text.startswith("<!doctype html>")
    assert job_id in page.text
    assert plain.json()["verdict"] == "positive_transfer"
    assert POLICY in page.headers
    assert page.headers["vary"] == plain.headers["vary"] == "Accept"
    assert page.headers["etag"] != plain.headers["etag"]
    assert ask(BROWSER, **{"If-None-Match": page.headers["etag"]}).status_code == 304
