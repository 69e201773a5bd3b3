"""Why something is a finding, in sentences: from its reason, never from the secret."""

from __future__ import annotations

import re

from stanch.scanner.model.finding import Confidence, Finding

_SENTENCES = {
    "prefix": "It begins with what this provider's credentials begin with.",
    "shape": "It has the length and the letters of this kind.",
    "checksum": "The checksum inside it is right.",
    "checksum failed": "The checksum inside it is wrong: shortened, changed or made up.",
    "parse": "Its parts were read and hold together.",
    "does not parse": "Its parts could not be read: damaged or made up.",
    "expired": "It says itself that it has expired.",
    "encrypted": "A password protects it, which whoever has it can try at leisure.",
    "not encrypted": "No password protects it.",
    "well-known password": "A password that everybody knows opens it.",
    "no private key seen": "Whether it holds a private key or only certificates is not to be seen.",
    "utf-16": "It was written in UTF-16.",
    "no expiry": "It says that it never expires.",
    "keyword": "A name that means a secret leads to it.",
    "place": "It is written out where only the secret itself can stand; weak ones count as well.",
    "entropy": "It is long and varied, as machines make them, and not words joined together.",
    "pair": "The other half of the credential stands near it.",
    "near its name": "The provider's name stands near it.",
    "placeholder": "It looks like a stand-in: an example, a mask, a sequence or the field's name.",
    "password file": "It stands in a file from which a service reads its users' passwords.",
    "words in an example": "It reads like words and stands in a test, a sample or documentation.",
    "shown as an example": "What leads to it says that it is an example.",
    "test vector": "It stands among the known answers of a test.",
    "minified code": "It stands in code that a program has written on one line.",
    "documentation in code": "It stands in the documentation of a module.",
    "cut off": "It is too short for a key of its kind: the rest is missing.",
    "uuid": "It is a UUID, which is an identifier more often than a secret.",
    "example host": "The address around it belongs to a host for examples.",
    "looks made up": "It looks made up: a sequence, a repetition, hardly any variety.",
    "not hex": "It is not hexadecimal, as everything is that its provider issues.",
    "key pair": "The public key that follows from it stands beside it.",
    "not a key pair": "The public key beside it belongs to another one.",
    "not base32": "It is not base32, so it was never issued.",
    "detect-secrets plugin": "A plugin of detect-secrets reported it.",
    "base64": "It was found in text that is encoded in base64; the place is the encoded run.",
    "hex": "It was found in text that is encoded in hexadecimal; the place is the encoded run.",
    "url": "It was found in text with percent escapes; the place is the encoded run.",
    "escape": "It was found in text with escape sequences; the place is the encoded run.",
}
_ODD = "anomaly"
_NO_RULE = "No rule knows it: it stands out from what is usual at its place (docs/anomaly.md)."
_PARTS = re.compile(r"\+|, ")
_LEVEL = {
    Confidence.HIGH: "High confidence: act on it.",
    Confidence.MEDIUM: "Medium confidence: real more often than not; look at it.",
    Confidence.LOW: "Low confidence: shown only on request; for a person to judge.",
}


def why(finding: Finding) -> list[str]:
    """Sentences, the rule first; a part of the reason without a sentence stands for itself."""
    if finding.kind == _ODD:
        evidence = f"{finding.reason[:1].upper()}{finding.reason[1:]}."
        return [_NO_RULE, evidence, _LEVEL[finding.confidence]]
    said = [_SENTENCES.get(part, f"{part}.") for part in _PARTS.split(finding.reason)]
    named = f"Rule `{finding.rule}` (see `stanch rules show {finding.rule}`)."
    return [named, *said, _LEVEL[finding.confidence]]
