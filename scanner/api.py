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

from typing import TYPE_CHECKING

from stanch.scanner.detectors.ruleset.ruleset import configured_rules, load_builtin
from stanch.scanner.local.fingerprint_key import data_directory, load_fingerprint_key, run_key
from stanch.scanner.model.error import RuleError, ScannerError, SourceError, UsageError
from stanch.scanner.model.finding import Confidence, Finding, Match, Severity, Span
from stanch.scanner.model.fingerprint import FingerprintKey
from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.provenance import InCommit, InIndex, InStream, InWorktree, Provenance
from stanch.scanner.model.rule import Rule, RuleClass
from stanch.scanner.model.secret import SecretValue
from stanch.scanner.model.summary import ScanSummary
from stanch.scanner.model.waiver import Waiver, WaiverSource
from stanch.scanner.scan.scanner import Scanner
from stanch.scanner.scan.stage import Scan
from stanch.scanner.scan.target import place_of

if TYPE_CHECKING:
    from stanch.scanner.scan.mask.log_filter import MaskingFilter

__all__ = [
    "Confidence",
    "Finding",
    "FingerprintKey",
    "Fragment",
    "Gap",
    "InCommit",
    "InIndex",
    "InStream",
    "InWorktree",
    "MaskingFilter",
    "Match",
    "Provenance",
    "Rule",
    "RuleClass",
    "RuleError",
    "Scan",
    "ScanSummary",
    "Scanner",
    "ScannerError",
    "SecretValue",
    "Severity",
    "SourceError",
    "Span",
    "UsageError",
    "Waiver",
    "WaiverSource",
    "builtin_rules",
    "configured_rules",
    "data_directory",
    "load_fingerprint_key",
    "place_of",
    "run_key",
]

builtin_rules = load_builtin


def __getattr__(name: str) -> object:
    """What most users of this door do without is loaded when it is asked for."""
    if name == "MaskingFilter":
        from stanch.scanner.scan.mask.log_filter import MaskingFilter  # noqa: PLC0415  # see above

        return MaskingFilter
    raise AttributeError(name)
