"""Kubernetes' bootstrap tokens, which are short and mean something in their place only."""

from __future__ import annotations

from stanch.scanner.detectors.candidate import NOT_THIS, NOTHING_TO_SAY, Candidate, CheckResult
from stanch.scanner.detectors.text.regex_cache import regex

_ANNOUNCED = regex(rb"(?i)(?:token|bootstrap)[\w\"' ]{0,20}[ :=]{1,3}[\"']?$")


def check_bootstrap_token(candidate: Candidate) -> CheckResult:
    """Six and sixteen characters mean a token only behind a word that says so."""
    front = candidate.before(60)
    if not _ANNOUNCED.search(front):
        return NOT_THIS
    return NOTHING_TO_SAY
