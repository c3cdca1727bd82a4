"""The Python client of ktl: transfer learning as a service.

>>> from ktl import Client
>>> with Client() as client:
...     print(client.url)
http://127.0.0.1:8000

`Client` waits where it stands, `AsyncClient` has the same methods to be awaited. It needs httpx and
httpx-sse, nothing else of ktl, and imports nothing that is named `app`.
"""

from ._async.client import AsyncClient
from ._sync.client import Client
from .answer import ApiAnswer
from .errors import ApiError, Unreachable
from .events import Event

__all__ = ["ApiAnswer", "ApiError", "AsyncClient", "Client", "Event", "Unreachable"]
