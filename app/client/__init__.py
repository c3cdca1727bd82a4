"""The typed client of the HTTP API: `Client().jobs.submit({...})`."""

from app.client.client import Client
from app.client.events import Event
from app.client.problem import Problem, Unreachable

__all__ = ["Client", "Event", "Problem", "Unreachable"]
