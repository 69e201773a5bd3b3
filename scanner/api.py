"""The one door to the scanner for everybody else.

key = load_fingerprint_key(None, data_directory(os.environ))
scan = Scanner(key=key).scan_path(Path("."))
for result in scan:            # streams; the same input gives the same order
    match result:
        case Match(): ...      # result.finding, and result.parts for the vault
        case Gap(): ...        # something was left out; `incomplete` ones spoil the scan
scan.summary                   # what was read, once the loop is over
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from stanch.scanner.detectors.ruleset.ruleset import configured_rules, load_builtin
from stanch.scanner.local.fingerprint_key import data_directory, load_fingerprint_key, run_key
from stanch.scanner.model.error import (
    LastingError,
    RuleError,
    ScannerError,
    SourceError,
    UsageError,
)
from stanch.scanner.model.finding import Confidence, Finding, Match, Severity, Span
from stanch.scanner.model.fingerprint import FingerprintKey
from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.provenance import InCommit, InIndex, InStream, InWorktree, Provenance
from stanch.scanner.model.rule import Rule, RuleClass
from stanch.scanner.model.secret import SecretValue
from stanch.scanner.model.summary import ScanSummary
from stanch.scanner.model.waiver import Waiver, WaiverSource
from stanch.scanner.scan.scanner import Scanner
from stanch.scanner.scan.stage import Asked, Scan
from stanch.scanner.scan.target import place_of
from stanch.scanner.scan.texts import texts

if TYPE_CHECKING:
    from stanch.scanner.anomaly.baseline import changed_stream
    from stanch.scanner.anomaly.gauge import Gauge
    from stanch.scanner.scan.brought import Brought, replayed
    from stanch.scanner.scan.commission import Commission
    from stanch.scanner.scan.mask.log_copy import redacted_log
    from stanch.scanner.scan.mask.log_filter import MaskingFilter
    from stanch.scanner.scan.remote import listed_repositories, place_named, repository, unread
    from stanch.scanner.scan.request import ScanRequest
    from stanch.scanner.scan.unit import Unit
    from stanch.scanner.sources.git.revisions import Selection
    from stanch.scanner.sources.http.answer import HttpError, RateLimitedError
    from stanch.scanner.sources.log.opening import logs_kept, provider_asked
    from stanch.scanner.sources.log.seen import Seen

__all__ = [
    "Asked",
    "Brought",
    "Commission",
    "Confidence",
    "Finding",
    "FingerprintKey",
    "Fragment",
    "Gap",
    "Gauge",
    "HttpError",
    "InCommit",
    "InIndex",
    "InStream",
    "InWorktree",
    "LastingError",
    "MaskingFilter",
    "Match",
    "Provenance",
    "RateLimitedError",
    "Rule",
    "RuleClass",
    "RuleError",
    "Scan",
    "ScanRequest",
    "ScanSummary",
    "Scanner",
    "ScannerError",
    "SecretValue",
    "Seen",
    "Selection",
    "Severity",
    "SourceError",
    "Span",
    "Unit",
    "UsageError",
    "Waiver",
    "WaiverSource",
    "builtin_rules",
    "changed_stream",
    "configured_rules",
    "data_directory",
    "listed_repositories",
    "load_fingerprint_key",
    "logs_kept",
    "place_named",
    "place_of",
    "provider_asked",
    "redacted_log",
    "replayed",
    "repository",
    "run_key",
    "texts",
    "unread",
]

builtin_rules = load_builtin


_LATE = MappingProxyType(
    {
        "Brought": "scan.brought",
        "Commission": "scan.commission",
        "MaskingFilter": "scan.mask.log_filter",
        "HttpError": "sources.http.answer",
        "RateLimitedError": "sources.http.answer",
        "ScanRequest": "scan.request",
        "Gauge": "anomaly.gauge",
        "Seen": "sources.log.seen",
        "Selection": "sources.git.revisions",
        "Unit": "scan.unit",
        "changed_stream": "anomaly.baseline",
        "listed_repositories": "scan.remote",
        "logs_kept": "sources.log.opening",
        "place_named": "scan.remote",
        "provider_asked": "sources.log.opening",
        "redacted_log": "scan.mask.log_copy",
        "repository": "scan.remote",
        "replayed": "scan.brought",
        "unread": "scan.remote",
    }
)


def __getattr__(name: str) -> object:
    """What most users of this door do without is loaded when it is asked for."""
    if name in _LATE:
        return getattr(import_module(f"stanch.scanner.{_LATE[name]}"), name)
    raise AttributeError(name)
