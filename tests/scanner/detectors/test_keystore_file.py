"""Key stores and bare private keys: found by content, judged by structure, never decrypted."""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from hypothesis import given
from hypothesis import strategies as st

from stanch.scanner.detectors.candidate import Candidate
from stanch.scanner.detectors.proof import keystore_generator
from stanch.scanner.detectors.structure.keystore import check_keystore
from stanch.scanner.model.finding import Match, Severity
from stanch.scanner.model.rule import Rule

Scan = Callable[..., list[Match]]

KEY = ec.generate_private_key(ec.SECP256R1())
#: What no list of defaults has.
UNKNOWN = random.Random(4).randbytes(9).hex().encode()  # noqa: S311  # repeatable


def store(sealing: KeySerializationEncryption) -> bytes:
    return pkcs12.serialize_key_and_certificates(b"app", KEY, None, None, sealing)


def password(text: bytes, algorithm: hashes.HashAlgorithm) -> KeySerializationEncryption:
    builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(2048).hmac_hash(algorithm)
    return builder.build(text)


def java(entry: str, secret: str) -> bytes:
    """A JKS store whose digest is made with ``secret``."""
    body = keystore_generator.jks(random.Random(1), entry)[:-20]  # noqa: S311  # repeatable
    digest = hashlib.sha1(
        secret.encode("utf-16-be") + b"Mighty Aphrodite" + body, usedforsecurity=False
    )
    return body + digest.digest()


@pytest.mark.parametrize(
    ("content", "kind", "reason", "severity"),
    [
        (store(BestAvailableEncryption(UNKNOWN)), "pkcs12", "encrypted", Severity.HIGH),
        (store(NoEncryption()), "pkcs12", "not encrypted", Severity.CRITICAL),
        (
            store(password(b"changeit", hashes.SHA256())),
            "pkcs12",
            "well-known password",
            Severity.CRITICAL,
        ),
        (
            store(password(b"password", hashes.SHA1())),  # noqa: S303 - what old stores have
            "pkcs12",
            "well-known password",
            Severity.CRITICAL,
        ),
        (store(password(UNKNOWN, hashes.SHA512())), "pkcs12", "encrypted", Severity.HIGH),
        (java("key", "changeit"), "java-keystore", "well-known password", Severity.CRITICAL),
        (java("key", UNKNOWN.decode()), "java-keystore", "encrypted", Severity.HIGH),
    ],
)
@pytest.mark.parametrize("encode", [bytes, base64.b64encode, base64.encodebytes])
def test_a_key_store_says_how_well_it_is_locked(
    scan: Scan,
    content: bytes,
    kind: str,
    reason: str,
    severity: Severity,
    encode: Callable[[bytes], bytes],
) -> None:
    (match,) = scan(encode(content), "app.p12")
    finding = match.finding
    assert (finding.kind, finding.reason, finding.severity) == (kind, f"parse, {reason}", severity)
    assert match.parts["value"].reveal() == encode(content).rstrip(
        b"\n" if encode is not bytes else b""
    )


@pytest.mark.parametrize(
    "content",
    [
        KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        KEY.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        rsa.generate_private_key(65537, 2048).private_bytes(
            Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()
        ),
    ],
)
def test_a_private_key_without_armour_is_found(scan: Scan, content: bytes) -> None:
    assert [m.finding.reason for m in scan(content, "tls.key")] == ["parse, not encrypted"]


def test_a_sealed_private_key_without_armour_is_less_severe(scan: Scan) -> None:
    sealed = BestAvailableEncryption(UNKNOWN)
    content = KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, sealed)
    (match,) = scan(content, "tls.key")
    assert (match.finding.reason, match.finding.severity) == ("parse, encrypted", Severity.HIGH)


def test_a_store_of_certificates_is_no_secret(scan: Scan) -> None:
    assert scan(java("certificate", "changeit"), "truststore.jks") == []


def test_a_cut_off_store_is_only_low(scan: Scan) -> None:
    (match,) = scan(store(NoEncryption())[:200], "app.p12")
    assert match.finding.reason == "does not parse"


def candidate(rules: tuple[Rule, ...], data: bytes) -> Candidate:
    rule = next(each for each in rules if each.id == "pkcs12-keystore")
    return Candidate(rule=rule, data=data, start=0, end=8, path="a.p12", now=0.0)


@given(at=st.integers(0, 400), junk=st.binary(max_size=6))
def test_a_mangled_store_is_judged_and_never_an_error(
    rules: tuple[Rule, ...], at: int, junk: bytes
) -> None:
    for whole in (store_of_bytes, java_of_bytes):
        check_keystore(candidate(rules, whole[:at] + junk + whole[at + len(junk) :]))


store_of_bytes = b"\x30" + store(NoEncryption())[1:]
java_of_bytes = java("key", "changeit")
