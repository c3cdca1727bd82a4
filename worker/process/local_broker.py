"""The broker of Celery's consumer: a queue in its own process, which no network can hold up."""

from kombu.transport import TRANSPORT_ALIASES, memory

URL = "local://"


class MemoryTransport(memory.Transport):  # type: ignore[misc]  # kombu has no types
    """kombu's queue in memory, for a consumer with an event loop: whoever publishes to it delivers
    with `drain_events`, in the loop's thread."""

    implements = memory.Transport.implements.extend(asynchronous=True)


TRANSPORT_ALIASES["local"] = f"{__name__}:MemoryTransport"
