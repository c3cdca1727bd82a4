"""The typed client of the HTTP API: `Client().jobs.submit({...})`."""

from app.client.api_error import ApiError, Unreachable
from app.client.client import Client
from app.client.events import Event

__all__ = ["ApiError", "Client", "Event", "Unreachable"]
