"""Logs as JSON lines, and the trace id that follows one request through all services."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pythonjsonlogger.json import JsonFormatter

from shared.ids import new_id

_trace: ContextVar[str] = ContextVar("trace", default="")


def trace_id() -> str:
    """The trace id of what is being done now; a new one outside any request or task."""
    return _trace.get() or new_id().hex


@contextmanager
def traced(trace: str) -> Iterator[str]:
    """Everything inside carries this trace id, or a new one when it is empty."""
    token = _trace.set(trace or new_id().hex)
    try:
        yield _trace.get()
    finally:
        _trace.reset(token)


class _AddTrace(logging.Filter):
    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def filter(self, record: logging.LogRecord) -> bool:
        record.service = self._service
        record.trace = _trace.get()
        return True


def set_up(service: str, level: str = "INFO") -> None:
    """Send this process's logs to standard error, one JSON object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(
            "%(asctime)s %(levelname)s %(name)s %(message)s", rename_fields={"asctime": "at", "levelname": "level"}
        )
    )
    handler.addFilter(_AddTrace(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("httpx", "celery.app.trace", "celery.worker.strategy", "alembic"):
        logging.getLogger(chatty).setLevel("WARNING")
