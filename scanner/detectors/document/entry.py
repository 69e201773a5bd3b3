"""Values that a document's structure gives a name, judged as if they were assigned to it."""

from __future__ import annotations

from stanch.scanner.detectors.candidate import Candidate, CheckResult
from stanch.scanner.detectors.context import name_and_value
from stanch.scanner.detectors.context.assignment import Assignment
from stanch.scanner.detectors.context.generic import judged
from stanch.scanner.detectors.text.regex_cache import regex

#: Hooks of other documents: what is called so is a secret because the document says so.
_SAID = b"secret"
_LAST = regex(rb"[A-Za-z0-9_.-]{1,160}\Z")


def check_entry(candidate: Candidate) -> CheckResult:
    """The judgement that assignments get."""
    return judged(_assignment(candidate, candidate.name), candidate)


def check_sensitive(candidate: Candidate) -> CheckResult:
    """The same for what is marked as sensitive, whatever its name."""
    found = _assignment(candidate, candidate.name)
    if not name_and_value.names_secret(found) or not name_and_value.PASSWORD.search(
        found.last_word
    ):
        found = _assignment(candidate, _SAID)
    return judged(found, candidate)


def _assignment(candidate: Candidate, name: bytes) -> Assignment:
    last = _LAST.search(name)
    return Assignment(
        name=last[0] if last else _SAID,
        operator=b"=",
        quote=b'"',
        start=candidate.start,
        end=candidate.end,
        cut=b"",
        front=b"",
        tail=b"",
    )
