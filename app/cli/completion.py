"""Names for a shell to complete, as the service knows them; none where it does not answer."""

import re
from collections.abc import Callable
from itertools import islice
from typing import Literal

Kind = Literal["datasets", "models", "jobs", "deployments"]
SPECIAL = re.compile(r"[^\w@%+=:,./-]")  # a shell reads them as they are after a backslash
MOST = 100  # names, the newest


def names_of(kind: Kind) -> Callable[[str], list[str]]:
    """Completes what a person has begun to write of a name of that kind."""

    def complete(incomplete: str) -> list[str]:
        from app.client.ktl import ApiError, Client, Unreachable

        try:
            with Client() as client:
                found = islice(getattr(client, kind).list(), MOST)
                names = dict.fromkeys(each.name for each in found)
        except (ApiError, Unreachable):
            return []
        return [SPECIAL.sub(r"\\\g<0>", name) for name in names if name.startswith(incomplete)]

    return complete
