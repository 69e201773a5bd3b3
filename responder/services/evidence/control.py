"""Controls by the identifiers of their standards, and which measures speak of them.

A measure is evidence, not a judgement: whether a control is met is for whoever audits it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Standard(StrEnum):
    """Where the identifiers are from."""

    SOC2 = "SOC 2 (TSC 2017)"
    ISO = "ISO/IEC 27001:2022 Annex A"
    PCI = "PCI DSS 4.0.1"
    NIST = "NIST SP 800-53 r5"
    NIST_KEYS = "NIST SP 800-57 pt 1 r5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """``measures`` by id; none: the record has nothing that speaks of it."""

    standard: Standard
    id: str
    told: str
    measures: tuple[str, ...]


def _controls(standard: Standard, *rows: tuple[str, str, str]) -> tuple[Control, ...]:
    return tuple(
        Control(standard=standard, id=name, told=told, measures=tuple(measures.split()))
        for name, told, measures in rows
    )


# LEDGER, below, speaks of the record itself and is measured by judging it.
LEDGER = "ledger"

CONTROLS: tuple[Control, ...] = (
    *_controls(
        Standard.SOC2,
        ("CC6.1", "logical access, keys managed", "access-log inventory"),
        ("CC6.2", "credentials issued and removed", "rotations incidents"),
        ("CC6.3", "least privilege, change of access", "unauthorised people"),
        ("CC6.6", "threats from outside", "incidents"),
        ("CC6.7", "movement of information", "migration"),
        ("CC6.8", "malicious software", ""),
        ("CC7.1", "new vulnerabilities and configuration", "incidents"),
        ("CC7.2", "anomalies", "unauthorised"),
        ("CC7.3", "events are evaluated", "incidents linked"),
        ("CC7.4", "response: contain, remediate, communicate", "incidents changes"),
        ("CC7.5", "recovery", "rotations"),
        ("CC8.1", "change", "approvals changes"),
    ),
    *_controls(
        Standard.ISO,
        ("A.5.15", "access control", "access-log unauthorised"),
        ("A.5.16", "identity management", "people"),
        ("A.5.17", "authentication information", "inventory rotations migration"),
        ("A.5.18", "access rights", "people"),
        ("A.5.24", "incidents: planning", ""),
        ("A.5.25", "incidents: assessment", "incidents linked"),
        ("A.5.26", "incidents: response", "incidents changes"),
        ("A.5.27", "incidents: learning", ""),
        ("A.5.28", "incidents: evidence", "ledger"),
        ("A.8.2", "privileged access", "approvals"),
        ("A.8.4", "source code", "incidents"),
        ("A.8.5", "secure authentication", ""),
        ("A.8.9", "configuration", "migration"),
        ("A.8.12", "leakage prevention", "incidents migration"),
        ("A.8.15", "logging", "access-log ledger"),
        ("A.8.16", "monitoring", "unauthorised fetch-latency"),
        ("A.8.24", "cryptography and keys", "rotations"),
        ("A.8.25", "secure development", ""),
        ("A.8.28", "secure coding", "migration"),
        ("A.8.31", "separation of environments", "unauthorised"),
    ),
    *_controls(
        Standard.PCI,
        ("3.6.1", "keys are protected", "access-log"),
        ("3.7.4", "keys changed at the end of their period", "rotations"),
        ("3.7.5", "keys retired when weakened or suspected", "incidents rotations"),
        ("3.7.6", "split knowledge", "approvals"),
        ("8.3.2", "authentication factors are encrypted", ""),
        ("8.6.1", "system accounts: interactive use", ""),
        ("8.6.2", "no hard-coded passwords", "incidents migration"),
        ("8.6.3", "passwords of system accounts are changed", "rotations"),
        ("10.2", "audit logs record access", "access-log"),
        ("10.3", "audit logs are protected", "ledger"),
        ("12.10", "incident response", "incidents"),
    ),
    *_controls(
        Standard.NIST,
        ("IA-5", "authenticators are managed and changed", "inventory rotations"),
        ("IA-5(7)", "no embedded unencrypted static authenticators", "incidents migration"),
        ("SC-12", "keys are established and managed", "rotations"),
        ("SC-28", "information at rest", ""),
        ("AC-2(3)", "accounts are disabled", "incidents"),
        ("AU-9(3)", "audit information: cryptographic protection", "ledger"),
        ("AU-10", "non-repudiation", "ledger"),
        ("IR-4", "incident handling", "incidents changes"),
        ("IR-5", "incident monitoring", "incidents"),
        ("IR-6", "incident reporting", ""),
        ("SI-4", "system monitoring", "unauthorised"),
    ),
    *_controls(
        Standard.NIST_KEYS,
        ("Table 1", "cryptoperiods", "rotations"),
        ("compromised", "keys that are compromised", "incidents"),
    ),
)
