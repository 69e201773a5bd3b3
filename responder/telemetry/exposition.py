"""The numbers as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from stanch.responder.telemetry.tally import UNAUTHORISED, Histogram, Labels, Tally

TYPE = "text/plain; version=0.0.4; charset=utf-8"

# Name: kind and help. Names are base units, `_total` counts.
FAMILIES: Mapping[str, tuple[str, str]] = {
    "stanch_secret_fetch_seconds": ("histogram", "Time until a store has given a secret."),
    "stanch_secret_access_total": ("counter", "Accesses on the record, by outcome."),
    "stanch_secret_unauthorised_total": ("counter", "Accesses that were denied or refused."),
    "stanch_secret_cache_total": ("counter", "Reads by what the cache had; absent if none says."),
    "stanch_secret_rotation_total": ("counter", "Rotations that ended, by outcome."),
    "stanch_secret_rotation_seconds": ("histogram", "How long rotations took."),
    "stanch_secret_rotation_open": ("gauge", "Rotations that were begun and have not ended."),
    "stanch_secret_outside": ("gauge", "Values known to be outside of every store, by where."),
    "stanch_incident_total": ("counter", "What happened to incidents."),
    "stanch_record_entries": ("gauge", "Entries of the record that these numbers are counted of."),
}


def exposition(tally: Tally, *, entries: int) -> str:
    """All families, in one order."""
    samples = _samples(tally, entries)
    lines: list[str] = []
    for name, (kind, told) in FAMILIES.items():
        lines += (f"# HELP {name} {told}", f"# TYPE {name} {kind}", *samples[name])
    return "\n".join(lines) + "\n"


def _samples(tally: Tally, entries: int) -> dict[str, list[str]]:
    access = ("backend", "environment", "outcome")
    unauthorised: dict[Labels, int] = {
        (backend, environment): 0 for backend, environment, _ in sorted(tally.accesses)
    }
    for (backend, environment, outcome), number in tally.accesses.items():
        unauthorised[backend, environment] += number if outcome in UNAUTHORISED else 0
    rotations = {("finished",): 0, ("failed",): 0, **tally.rotations}
    outside: dict[Labels, int] = {
        ("file",): sum(tally.outside.values()),
        ("leak",): len(tally.uncontained),
    }
    timed: dict[Labels, Histogram] = {(): tally.rotating} if tally.rotating.number else {}
    made: dict[str, Iterable[str]] = {
        "stanch_secret_fetch_seconds": _histograms(
            "stanch_secret_fetch_seconds", access[:2], tally.fetches
        ),
        "stanch_secret_access_total": _plain("stanch_secret_access_total", access, tally.accesses),
        "stanch_secret_unauthorised_total": _plain(
            "stanch_secret_unauthorised_total", access[:2], unauthorised
        ),
        "stanch_secret_cache_total": _plain(
            "stanch_secret_cache_total", ("environment", "result"), tally.cache
        ),
        "stanch_secret_rotation_total": _plain(
            "stanch_secret_rotation_total", ("outcome",), rotations
        ),
        "stanch_secret_rotation_seconds": _histograms("stanch_secret_rotation_seconds", (), timed),
        "stanch_secret_rotation_open": _plain(
            "stanch_secret_rotation_open", (), {(): len(tally.begun)}
        ),
        "stanch_secret_outside": _plain("stanch_secret_outside", ("where",), outside),
        "stanch_incident_total": _plain("stanch_incident_total", ("event",), tally.incidents),
        "stanch_record_entries": _plain("stanch_record_entries", (), {(): entries}),
    }
    return {name: list(lines) for name, lines in made.items()}


def _plain(name: str, labels: Labels, numbers: Mapping[Labels, int]) -> Iterator[str]:
    for values, number in sorted(numbers.items()):
        yield f"{name}{_labels(labels, values)} {number}"


def _histograms(name: str, labels: Labels, found: Mapping[Labels, Histogram]) -> Iterator[str]:
    for values, each in sorted(found.items()):
        for bound, count in zip(each.bounds, each.counts, strict=True):
            yield f"{name}_bucket{_labels((*labels, 'le'), (*values, f'{bound:g}'))} {count}"
        yield f"{name}_bucket{_labels((*labels, 'le'), (*values, '+Inf'))} {each.number}"
        yield f"{name}_sum{_labels(labels, values)} {each.total:.6f}"
        yield f"{name}_count{_labels(labels, values)} {each.number}"


def _labels(names: Labels, values: Labels) -> str:
    said = ",".join(f'{name}="{_quoted(text)}"' for name, text in zip(names, values, strict=True))
    return f"{{{said}}}" if said else ""


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
