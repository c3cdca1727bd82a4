"""Errors between a client and the API."""

from typing import Any

import httpx


class ApiError(Exception):
    """The API's refusal, as it came: application/problem+json."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status = status
        self.title: str = body.get("title", "")
        self.code: str = body.get("code", "")
        self.detail: str = body.get("detail", "")
        self.errors: list[dict[str, str]] = body.get("errors", [])
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
            body = {"title": response.reason_phrase, "detail": response.text[:500]}
        return cls(response.status_code, body)


class Unreachable(Exception):
    """No answer from the API, after a few tries."""

    def __init__(self, url: str, reason: Exception) -> None:
        self.url = url
        super().__init__(f"cannot reach {url}: {reason}")


LONGEST_RETRY_AFTER_SECONDS = 5.0


def accepted(response: httpx.Response) -> httpx.Response:
    """Returns an answer that is none of refusal. Raises ApiError for one."""
    if response.is_success:
        return response
    raise ApiError.of(response)


def retry_after(response: httpx.Response) -> float:
    """Seconds that a server asks to wait, a few at most."""
    value = response.headers.get("retry-after", "0")
    return min(float(value), LONGEST_RETRY_AFTER_SECONDS) if value.isdigit() else 0.0
