"""Structured logs that cannot leak: text for people, fields for machines, never a secret."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from stanch.scanner.model.error import printable
from stanch.scanner.model.secret import SecretValue

# Vendors whose debug output holds request bodies, and so values.
_TALKATIVE = ("botocore", "boto3", "urllib3", "slack_sdk", "slack_bolt", "httpx", "kombu", "celery")


def get_logger(name: str) -> Any:
    """A logger; fields are named, e.g. ``log.info("secret.found", fingerprint=…)``."""
    return structlog.get_logger(name)


def configure(*, level: str = "warning", stream: TextIO | None = None, plain: bool = False) -> None:
    """Send logs as JSON lines to ``stream`` (stderr), or as plain ones, for a person's terminal.

    Exceptions become their class only.
    """
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _only_kind,
            _no_secret,
            _plain if plain else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def _plain(logger: object, method: str, event: MutableMapping[str, Any]) -> str:
    """``warning: mode narrowed (path=/data, before=0644)``."""
    del logger
    name = str(event.pop("event", "")).replace(".", " ").replace("_", " ")
    told = ", ".join(f"{k}={v}" for k, v in event.items() if k not in {"level", "timestamp"})
    return printable(f"{event.get('level', method)}: {name}" + (f" ({told})" if told else ""))


def _only_kind(
    logger: object, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """An exception's text may quote a request; its class says enough for a log."""
    del logger, method
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exception()
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
    return event


def _no_secret(
    logger: object, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Bytes are never text for a log, and a SecretValue shows its length only."""
    del logger, method
    for key, value in event.items():
        if isinstance(value, (bytes, bytearray, memoryview)):
            event[key] = f"<{len(value)} bytes>"
        elif isinstance(value, SecretValue):
            event[key] = repr(value)
    return event
