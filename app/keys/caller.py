"""Who asks. Everything a caller makes belongs to its project."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Caller:
    project: str
    scopes: frozenset[str]  # `admin` has been spelt out: it implies all
    key_id: str | None  # None: this machine's own user, before any key was made
