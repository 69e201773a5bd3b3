"""A rule is data that carries its own proof."""

from __future__ import annotations

from enum import StrEnum

from stanch.scanner.model.finding import Confidence, Severity
from stanch.scanner.model.record import Record


class RuleClass(StrEnum):
    """How a rule earns belief (``docs/rules.md`` explains the four)."""

    A = "A"  # a checksum or a parse that random text cannot pass
    B = "B"  # a distinctive literal prefix and a fixed shape
    C = "C"  # needs a keyword or a paired value close by
    D = "D"  # heuristic only


class PreviewStyle(StrEnum):
    """How much of a value its preview may show; never more than these."""

    LENGTH = "length"  # only how long it is
    ENDS = "ends"  # four characters at each end, for values with a public prefix
    URL = "url"  # scheme and host of a URL whose user and password stay hidden


class Pairing(Record):
    """Joins another rule's match close by into the same credential.

    ``rule`` names the other half, ``within`` counts lines in both directions, and ``kind`` is what
    the joined credential is called. ``also`` names further rules whose matches join when they are
    there (a session token), and are reported by themselves when they are not joined.
    """

    rule: str
    within: int
    kind: str
    severity: Severity
    also: tuple[str, ...] = ()


class Rule(Record):
    """One kind of token of one provider, as written in ``scanner/rules/<provider>.yaml``.

    ``pattern`` is a regular expression whose first group (or the whole match) is the secret;
    ``keywords`` must occur near it, case-insensitively, when the list is not empty; ``checks`` name
    functions in ``stanch.scanner.detectors.checks``. With ``document`` the pattern finds only a key
    of a document, and ``stanch.scanner.detectors.document.readings`` says where the secret is.
    ``part`` names the value in ``Match.parts``.
    ``match`` and ``reject`` are templates from which examples are generated, never literal tokens.
    """

    id: str
    provider: str
    kind: str
    part: str
    title: str
    rule_class: RuleClass
    severity: Severity
    confidence: Confidence
    pattern: str
    keywords: tuple[str, ...]
    checks: tuple[str, ...]
    pairing: Pairing | None
    remedy: str
    link: str
    match: tuple[str, ...]
    reject: tuple[str, ...]
    origin: str  # file and line, for errors and `stanch rules show`
    preview: PreviewStyle = PreviewStyle.LENGTH
    document: str | None = None
