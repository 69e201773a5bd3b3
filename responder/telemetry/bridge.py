"""Lets vendors' logs out as the same JSON lines as ours, without what they quote."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

from stanch.responder.telemetry.log import configure


class JsonLine(logging.Formatter):
    """One JSON object a line. An exception is its class; the text that quotes it is left out."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        said: dict[str, object] = {"event": record.getMessage(), "logger": record.name}
        if record.exc_info and record.exc_info[0] is not None:
            # The message of a failed task repeats the exception's text; its template does not.
            said["event"] = str(record.msg).partition(":")[0]
            said["error"] = record.exc_info[0].__name__
        context = getattr(record, "data", None)  # what Celery knows of a failed task
        if isinstance(context, dict):
            said |= {key: str(context[key]) for key in ("id", "name") if key in context}
        said |= {
            "level": record.levelname.lower(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
        }
        return json.dumps(said)


def bridge(*, level: str = "info", stream: TextIO | None = None) -> None:
    """Send our logs at ``level`` and vendors' warnings to ``stream`` (stderr) as JSON lines."""
    configure(level=level, stream=stream)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLine())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
