"""Tokens of the right shape that nobody seems to have issued.

A checksum that fails, a sequence from the alphabet, a run of zeros: such a token is made up,
altered, or of a kind whose scheme is not known well enough (few providers publish theirs). In
tests, samples and documents it is nearly always the first, elsewhere a person should look.
"""

from __future__ import annotations

from stanch.scanner.detectors.candidate import Candidate, CheckResult
from stanch.scanner.detectors.text.path_kind import is_document, is_example_ground
from stanch.scanner.model.finding import Confidence


def doubtful(candidate: Candidate, reason: str) -> CheckResult:
    """Medium at most, low where tokens are made up every day."""
    made_up_here = is_example_ground(candidate.path) or is_document(candidate.path)
    return CheckResult(at_most=Confidence.LOW if made_up_here else Confidence.MEDIUM, reason=reason)
