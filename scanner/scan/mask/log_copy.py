"""A copy of a log that may be kept and read: masked, and shown to hold nothing any more.

Masking sees values that stand whole in a line. What only the cleaned log shows (a value cut by time
stamps, wrapped, encoded) is found as a scan of logs finds it, and its lines go.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO

from stanch.scanner.detectors.engine import Engine
from stanch.scanner.detectors.ruleset.ruleset import load_builtin
from stanch.scanner.model.finding import Confidence, Match
from stanch.scanner.model.fingerprint import FingerprintKey
from stanch.scanner.model.provenance import InLog
from stanch.scanner.model.secret import SecretValue
from stanch.scanner.scan.mask.known_value import SHORTEST, KnownValues
from stanch.scanner.scan.mask.masking import Masking
from stanch.scanner.scan.mask.stream import MaskedStream
from stanch.scanner.scan.scanner import Scanner
from stanch.scanner.sources.log.source import Log, Logs

_ROUNDS = 3
_GONE = b"[LINE MASKED]"
_HERE = InLog(path="log", provider="")


def redacted_log(data: bytes, values: Iterable[SecretValue] = ()) -> bytes | None:
    """The log without what the rules find and without these values; None when that fails."""
    key = FingerprintKey(SecretValue(os.urandom(32)))  # no fingerprint leaves this function
    known = KnownValues(each for each in values if len(each.reveal()) >= SHORTEST)
    engine = Engine(load_builtin(), key, min_confidence=Confidence.MEDIUM)
    scanner = Scanner(key=key, processes=1, min_confidence=Confidence.MEDIUM)
    # A value over several lines goes first: of half of it that is masked the other half stays.
    spread = _found(scanner, data, least=2)
    if spread is None:
        return None
    stream = MaskedStream(Masking(engine, known))
    text = stream.feed(_without(data, spread)) + stream.finish()
    for _ in range(_ROUNDS):
        lines = _found(scanner, text, least=1)
        if lines is None:
            return None
        if not lines:
            return None if known.places(text) else text
        text = _without(text, lines)
    return None


def _without(text: bytes, lines: frozenset[int]) -> bytes:
    numbered = enumerate(text.split(b"\n"), start=1)
    return b"\n".join(_GONE if number in lines else line for number, line in numbered)


def _found(scanner: Scanner, text: bytes, *, least: int) -> frozenset[int] | None:
    """The lines of findings over at least so many; None when not all of it could be read."""
    lines: set[int] = set()
    for result in scanner.scan_source(Logs((_log(text),)), parts=False):
        if isinstance(result, Match):
            for span in (result.finding.span, *result.finding.also):
                over = range(span.line, span.end_line + 1)
                lines.update(over if len(over) >= least else ())
        elif result.incomplete:
            return None
    return frozenset(lines)


def _log(text: bytes) -> Log:
    @contextmanager
    def opened() -> Iterator[IO[bytes]]:
        yield io.BufferedReader(io.BytesIO(text))

    return Log(place=_HERE, open=opened)
