"""Choice between a report as JSON and as a page, and the page as an answer."""

import re
from base64 import b64encode
from hashlib import sha256

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from app.conditional import conditional
from app.jobs.next_labels.schemas import Ranked
from app.jobs.schemas import JobOut
from app.spec.report import Report

QUALITY = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")  # RFC 9110, 12.4.2
VARY = {"Vary": "Accept"}


def wants_html(request: Request) -> bool:
    """Tells whether Accept prefers `text/html` to JSON; where it likes both alike it is JSON."""
    accept = ",".join(request.headers.getlist("accept"))
    return _quality(accept, "text/html") > _quality(accept, "application/json")


def page_response(
    request: Request, job: JobOut, report: Report, ranking: Ranked | None = None
) -> Response:
    """The page with its ETag; 304 where If-None-Match names that."""
    from app.jobs.page.page import render  # jinja2 is loaded by the first page

    page = render(job, report, ranking)
    answer = conditional(request, {"page": page}, headers=VARY)
    if answer.status_code == 304:
        return answer
    headers = {"ETag": answer.headers["ETag"], "Content-Security-Policy": _policy(page)}
    return HTMLResponse(page, headers={**VARY, **headers})


def _policy(page: str) -> str:
    """The page shows itself and nothing else: its own style sheet by its hash, no script at all."""
    sheet = sha256(page.partition("<style>")[2].partition("</style>")[0].encode()).digest()
    return (
        f"default-src 'none'; style-src 'sha256-{b64encode(sheet).decode()}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _quality(accept: str, media_type: str) -> float:
    """That of the most precise range which names the type (RFC 9110, 12.5.1); 0 where none does."""
    ranges = ["*/*", f"{media_type.split('/', maxsplit=1)[0]}/*", media_type]
    found = (-1, 0.0)
    for part in accept.split(","):
        name, *parameters = (each.strip().lower() for each in part.split(";"))
        sent = next((each[2:].strip() for each in parameters if each.startswith("q=")), "1")
        if name in ranges and QUALITY.fullmatch(sent):
            found = max(found, (ranges.index(name), float(sent)))
    return found[1]
