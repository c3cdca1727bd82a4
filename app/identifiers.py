"""Ids with a prefix that sort by the time they were made: `job_01J…` (ULID)."""

from ulid import ULID


def new_id(prefix: str) -> str:
    return f"{prefix}_{ULID()}"
