"""What was usual in a stream's earlier scans, kept in the user's data directory.

One JSON file for each stream, mode 0600, named by a hash of the stream's name. It holds sizes,
counts and quantiles of the latest scans: nothing that was in the stream, and not its name.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from stanch.scanner.anomaly.measure import Reading
from stanch.scanner.anomaly.surprise import Usual
from stanch.scanner.model.error import UsageError
from stanch.scanner.model.finding import Confidence, Finding, Match, Severity, Span
from stanch.scanner.model.fingerprint import FingerprintKey
from stanch.scanner.model.provenance import InStream, Provenance
from stanch.scanner.model.record import Record, replace
from stanch.scanner.model.secret import SecretValue

RULE = "anomaly-stream"
FEWEST = 5
"""Scans before anything is called unusual."""

LATEST = 50
"""Scans that are remembered."""

_VERSION = 1
_LARGEST = 64 << 10  # bytes of a file; fifty scans need a tenth
_FAR = 6.0  # deviations: a stream is measured at every scan, so alarms have to be rare
_ENTROPY_FLOOR = 0.2  # bits; two bins of the histogram, so rounding alone is no change
_SHARE_FLOOR = 0.005  # of the text: a digest more or less is no change
_SHARE_NOISE = 100  # bytes: nor is it in a short one
_ENOUGH = 20  # suspicious strings, below which their quantiles say nothing


class Shift(Record):
    """A sudden change of one number, against the earlier scans."""

    reason: str
    deviations: float


class Baseline:
    """The memory of one stream, e.g. ``ci/build`` or a repository's path."""

    def __init__(self, data_dir: Path, stream: str) -> None:
        name = hashlib.sha256(stream.encode("utf-8", "surrogateescape")).hexdigest()[:32]
        self.path = data_dir / "anomaly" / f"{name}.json"

    def readings(self) -> tuple[Reading, ...]:
        """Earlier scans, oldest first. Raises :class:`UsageError` for what is no baseline."""
        try:
            with self.path.open("rb") as file:
                raw = file.read(_LARGEST + 1)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise self._wrong(error.strerror or "unreadable") from error
        try:
            return _parsed(raw)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise self._wrong("it is not a baseline of this version") from error

    def remember(self, reading: Reading) -> None:
        """Add a scan, and forget the oldest beyond :data:`LATEST`.

        The file appears complete or not at all. Of two scans of one stream at the same time one
        may be forgotten, which the statistics do not mind.
        """
        kept = [*self.readings(), reading][-LATEST:]
        text = json.dumps(
            {
                "version": _VERSION,
                "scans": [
                    {
                        "size": each.size,
                        "suspicious": each.suspicious,
                        "entropy": each.entropy,
                        "encoded": each.encoded,
                    }
                    for each in kept
                ],
            }
        )
        draft = self.path.with_name(f"{self.path.name}.{secrets.token_hex(8)}")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with os.fdopen(os.open(draft, flags, 0o600), "w") as file:
                file.write(text)
            draft.replace(self.path)
        except OSError as error:
            raise self._wrong(error.strerror or "unwritable") from error
        finally:
            draft.unlink(missing_ok=True)

    def _wrong(self, why: str) -> UsageError:
        return UsageError(
            f"the anomaly baseline {self.path} cannot be used: {why}",
            remedy="delete it (what is usual is learned anew), or scan without --anomalies",
        )


def shifts(history: tuple[Reading, ...], now: Reading) -> tuple[Shift, ...]:
    """What has suddenly changed; nothing while there are fewer than :data:`FEWEST` scans."""
    if len(history) < FEWEST or not now.size:
        return ()
    found = []
    rates = Usual.of([each.rate for each in history])
    # Counting alone scatters by the square root of what is expected, at least one string.
    noise = 1000 * math.sqrt(max(1.0, rates.middle * now.size / 1000)) / now.size
    far = rates.deviations(now.rate, floor=max(noise, 0.1 * rates.middle))
    if far >= _FAR:
        found.append(
            Shift(
                reason=f"{now.rate:.3g} suspicious strings per KB, usual {rates.middle:.2g} ± "
                f"{rates.spread:.1g} over {rates.size} scans",
                deviations=far,
            )
        )
    found += _encoded(history, now)
    middles = [each.entropy[1] for each in history if each.suspicious >= _ENOUGH]
    if len(middles) >= FEWEST and now.suspicious >= _ENOUGH:
        usual = Usual.of(middles)
        far = usual.deviations(now.entropy[1], floor=_ENTROPY_FLOOR)
        if far >= _FAR:
            found.append(
                Shift(
                    reason=f"suspicious strings have {now.entropy[1]:.1f} bits of entropy a "
                    f"character, usual {usual.middle:.1f} ± {usual.spread:.1f} over "
                    f"{usual.size} scans",
                    deviations=far,
                )
            )
    return tuple(found)


def _encoded(history: tuple[Reading, ...], now: Reading) -> list[Shift]:
    """Whether much more of the text is encoded than usual."""
    shares = [each.share for each in history if each.share is not None]
    if len(shares) < FEWEST or now.share is None:
        return []
    usual = Usual.of(shares)
    far = usual.deviations(now.share, floor=max(_SHARE_FLOOR, _SHARE_NOISE / now.size))
    if far < _FAR:
        return []
    reason = (
        f"{now.share:.1%} of the text is encoded, usual {usual.middle:.1%} ± {usual.spread:.1%} "
        f"over {usual.size} scans"
    )
    return [Shift(reason=reason, deviations=far)]


def match_of(shift: Shift, stream: str, provenance: Provenance, key: FingerprintKey) -> Match:
    """A finding about the stream as a whole: it has no value, and stands at the first character."""
    identity = SecretValue(stream.encode("utf-8", "surrogateescape"))
    finding = Finding(
        rule=RULE,
        provider="generic",
        kind="anomaly",
        provenance=provenance,
        span=Span(line=1, column=1, end_line=1, end_column=1),
        fingerprint=key.fingerprint("generic", "anomaly-stream", identity),
        preview="<no value>",
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
        reason=shift.reason,
        title="Sudden change of a stream",
    )
    return Match(finding=finding, parts=MappingProxyType({}))


def changed_stream(stream: str, reason: str, key: FingerprintKey) -> Match:
    """A finding for a person who says that a change is an incident: what is kept is the name."""
    found = match_of(Shift(reason=reason, deviations=_FAR), stream, InStream(path=stream), key)
    return replace(found, parts=MappingProxyType({"stream": SecretValue(stream.encode())}))


def _parsed(raw: bytes) -> tuple[Reading, ...]:
    if len(raw) > _LARGEST:
        raise ValueError("too large")
    held = json.loads(raw)
    if held["version"] != _VERSION:
        raise ValueError("another version")
    return tuple(_reading(each) for each in held["scans"][-LATEST:])


def _reading(held: Mapping[str, object]) -> Reading:
    size, suspicious, entropy = held["size"], held["suspicious"], held["entropy"]
    if not isinstance(size, int) or not isinstance(suspicious, int) or min(size, suspicious) < 0:
        raise TypeError("not a count")
    if not isinstance(entropy, list) or len(entropy) != (3 if suspicious else 0):
        raise TypeError("not quantiles")
    quantiles = tuple(float(each) for each in entropy)
    if not all(math.isfinite(each) for each in quantiles):
        raise ValueError("not a number")
    encoded = held.get("encoded")
    if encoded is not None and not (isinstance(encoded, int) and 0 <= encoded <= size):
        raise TypeError("not a part of the size")
    return Reading(size=size, suspicious=suspicious, entropy=quantiles, encoded=encoded)
