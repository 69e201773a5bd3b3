"""A filter for ``logging``: whatever a program logs goes on without its credentials."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable

from stanch.scanner.detectors.engine import Engine
from stanch.scanner.detectors.ruleset.ruleset import load_builtin
from stanch.scanner.model.finding import Confidence
from stanch.scanner.model.fingerprint import FingerprintKey
from stanch.scanner.model.secret import SecretValue
from stanch.scanner.scan.mask.known_value import KnownValues
from stanch.scanner.scan.mask.masking import Masking

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_FORMATTER = logging.Formatter()


class MaskingFilter(logging.Filter):
    """Masks message, traceback and extra texts of every record that passes.

    Put it on handlers: a filter of a logger does not see what its children log::

        handler.addFilter(MaskingFilter(values=[SecretValue(os.environb[b"DB_PASSWORD"])]))
    """

    def __init__(
        self,
        values: Iterable[SecretValue] = (),
        *,
        min_confidence: Confidence = Confidence.MEDIUM,
    ) -> None:
        super().__init__()
        key = FingerprintKey(SecretValue(os.urandom(32)))  # no fingerprint leaves this object
        engine = Engine(load_builtin(), key, min_confidence=min_confidence)
        self._masking = Masking(engine, KnownValues(values))
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record; all of them pass."""
        record.msg, record.args = self._masked(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = _FORMATTER.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text, record.exc_info = self._masked(record.exc_text), None
        if record.stack_info:
            record.stack_info = self._masked(record.stack_info)
        for name, value in vars(record).items():
            if name not in _STANDARD and isinstance(value, str):
                setattr(record, name, self._masked(value))
        return True

    def _masked(self, text: str) -> str:
        data = text.encode("utf-8", "surrogatepass")
        with self._lock:
            return self._masking.masked(data).decode("utf-8", "surrogatepass")
