"""The log: a line an event on stderr, JSON where nobody watches."""

import sys

import structlog
from structlog.types import Processor


def configure_logs() -> None:
    if sys.stderr.isatty():
        # Not structlog's own choice of traceback: it prints every local variable, secrets among
        # them, and takes seconds for it.
        plain = structlog.dev.plain_traceback
        renderers: list[Processor] = [structlog.dev.ConsoleRenderer(exception_formatter=plain)]
    else:
        renderers = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper("iso", utc=True),
            *renderers,
        ],
        # Looked up at each event: stderr may have been replaced since.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
