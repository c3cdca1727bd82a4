"""Errors between a client and the API."""

import re
from typing import Any

import httpx

MARKUP = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
LONGEST_SAID = 200  # characters of a page of somebody else's


class ApiError(Exception):
    """The API's refusal, as it came: application/problem+json."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status = status
        self.title: str = body.get("title") or ""
        self.code: str = body.get("code") or ""
        self.detail: str = str(body.get("detail") or "")
        self.errors: list[dict[str, str]] = _findings(body.get("errors"))
        self.request_id: str | None = body.get("request_id")
        self.body = body
        super().__init__(f"{status} {self.code}: {self.detail}")

    @classmethod
    def of(cls, response: httpx.Response) -> "ApiError":
        """Reads a refusal, also of an answer that a proxy made and that is no problem+json."""
        try:
            body = response.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            body = {"title": response.reason_phrase, "detail": said(response)}
        return cls(response.status_code, body)


class Unreachable(Exception):
    """No answer from the API, after a few tries, or an answer that is not the API's."""

    def __init__(self, url: str, reason: Exception | str) -> None:
        self.url = url
        super().__init__(f"cannot reach {url}: {reason}")


def _findings(errors: object) -> list[dict[str, str]]:
    """What is wrong, each with its detail; nothing of a list that another program made."""
    told = errors if isinstance(errors, list) else []
    return [each for each in told if isinstance(each, dict) and isinstance(each.get("detail"), str)]


def said(response: httpx.Response) -> str:
    """Says in a line what came that is no JSON of the API."""
    if response.is_redirect:
        to = response.headers["location"]
        return f"expected ktl there, was sent on to {to}: that is the address to give"
    kind = response.headers.get("content-type", "no type").partition(";")[0]
    words = " ".join(MARKUP.sub(" ", response.text).split())
    more = f": {words[:LONGEST_SAID]}{'…' * (len(words) > LONGEST_SAID)}" if words else ""
    return f"expected JSON of ktl's API, got {kind}{more}"


LONGEST_RETRY_AFTER_SECONDS = 5.0


def accepted(response: httpx.Response) -> httpx.Response:
    """Returns an answer that is none of refusal. Raises ApiError for one."""
    if response.is_success:
        return response
    raise ApiError.of(response)


def retry_after(response: httpx.Response) -> float:
    """Seconds that a server asks to wait, a few at most."""
    value = response.headers.get("retry-after", "0")
    return min(float(value), LONGEST_RETRY_AFTER_SECONDS) if value.isdecimal() else 0.0
