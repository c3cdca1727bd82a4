"""The client with the service's own types, for the command line: `Client().jobs.submit({...})`.

Everybody else imports `ktl`, which is `app/client/ktl` under the name that it is installed by.
"""

from app.client.house import HouseClient as Client
from app.client.house import OtherRelease
from app.client.ktl import ApiError, Event, Unreachable

__all__ = ["ApiError", "Client", "Event", "OtherRelease", "Unreachable"]
