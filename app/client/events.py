"""Server-sent events as the job's story."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Event:
    number: str  # "" for `progress`, which is of the moment
    kind: str  # status | trial | epoch | warning | report | deployment | progress
    data: dict[str, Any]


def parse(lines: Iterable[str]) -> Iterator[Event]:
    """Lines of a text/event-stream -> its events. Comments keep the connection alive and are
    dropped; an event that was cut off before its empty line is not one."""
    fields: dict[str, list[str]] = {}
    for line in lines:
        if not line:
            if "data" in fields:
                yield Event(
                    fields.get("id", [""])[-1],
                    fields.get("event", ["message"])[-1],
                    json.loads("\n".join(fields["data"])),
                )
            fields = {}
            continue
        name, _, value = line.partition(":")
        if name:
            fields.setdefault(name, []).append(value.removeprefix(" "))
