"""The Python client of ktl: transfer learning as a service.

>>> from ktl import Client
>>> with Client() as client:
...     print(client.url)
http://127.0.0.1:8000

`Client` waits where it stands, `AsyncClient` has the same methods to be awaited. It needs httpx and
httpx-sse, nothing else of ktl, and imports nothing that is named `app`.
"""

from typing import TYPE_CHECKING, Any

from ._sync.client import Client
from .answer import ApiAnswer
from .errors import ApiError, Unreachable
from .events import Event

if TYPE_CHECKING:
    from ._async.client import AsyncClient

__all__ = ["ApiAnswer", "ApiError", "AsyncClient", "Client", "Event", "Unreachable"]


def __getattr__(name: str) -> Any:
    """Imports the client that is awaited where it is asked for: most wait as they stand."""
    if name != "AsyncClient":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ._async.client import AsyncClient

    return AsyncClient
