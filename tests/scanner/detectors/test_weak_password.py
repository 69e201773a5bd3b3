"""Weak passwords, passphrases, hashes, and keys that are public by design."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.model.finding import Confidence, Match, Severity

Scan = Callable[..., list[Match]]
LOW, MEDIUM, HIGH = Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH


@pytest.mark.parametrize(
    ("path", "line", "sure"),
    [
        ("redis.yml", "redis_password: {word:RedisPass1}!", MEDIUM),
        ("app.env", "DB_PASSWORD={word:Password1}!", MEDIUM),
        ("app.env", "DB_PASSWORD={word:test}1234", LOW),
        ("app.env", "DB_PASSWORD={word:password}", LOW),
        ("app.env", "DB_PASSWORD={word:ChangeMe1}!", LOW),
        ("tests/app.env", "DB_PASSWORD={word:Password1}!", LOW),
        ("README.md", "DB_PASSWORD={word:Password1}!", LOW),
        ("app.yml", 'db_password: "{word:correct horse} battery staple"', LOW),
        ("app.yml", 'client_secret: "{word:this is a} label"', None),
        ("app.yml", 'password: "{word:enter your} password here"', None),
        ("app.gradle", "storePassword '{word:android}'", LOW),
    ],
)
def test_how_sure_a_weak_password_is(
    scan: Scan, path: str, line: str, sure: Confidence | None
) -> None:
    found = scan(generate(line, 1) + b"\n", path)
    assert [each.finding.confidence for each in found] == ([] if sure is None else [sure])


@pytest.mark.parametrize(
    "hashed",
    [
        "$2b$12${base62:53}",
        "$6${base62:16}${base62:86}",
        "$argon2id$v=19$m=65536,t=3,p=4${base64:22}${base64:43}",
        "pbkdf2_sha256$600000${base62:22}${base64:43}=",
        "pbkdf2:sha256:260000${base62:16}${hex:64}",
        "$P$B{base62:30}",
        "$S$D{base62:51}",
        "SCRAM-SHA-256$4096:{base64:22}==${base64:43}=:{base64:43}=",
        "*{hexup:40}",
    ],
)
def test_a_password_hash_in_a_dump_is_a_kind_of_its_own(scan: Scan, hashed: str) -> None:
    text = b"INSERT INTO users VALUES (1,'svc','" + generate(hashed, 1) + b"');\n"
    (match,) = scan(text, "dump.sql")
    finding = match.finding
    assert (finding.provider, finding.kind, finding.confidence) == ("generic", "password-hash", LOW)


@pytest.mark.parametrize("path", ["etc/shadow", ".htpasswd"])
def test_the_hashes_a_service_reads_are_shown(scan: Scan, path: str) -> None:
    (match,) = scan(generate("svc:$6${base62:16}${base62:86}:19000:0:99999:7:::", 1), path)
    assert match.finding.confidence is MEDIUM


@pytest.mark.parametrize(
    ("path", "text", "severity"),
    [
        ("app/google-services.json", '"current_key": "{word:AI}za{base64url:35}"', Severity.LOW),
        ("app.js", 'apiKey: "{word:AI}za{base64url:35}",{lf}authDomain: "x.web.app"', Severity.LOW),
        ("app.py", 'KEY = "{word:AI}za{base64url:35}"', Severity.MEDIUM),
    ],
)
def test_a_web_key_of_firebase_weighs_less(
    scan: Scan, path: str, text: str, severity: Severity
) -> None:
    found = [each.finding for each in scan(generate(text, 1), path)]
    assert [(each.rule, each.severity) for each in found] == [("google-api-key", severity)]


def test_an_expired_token_is_not_sure(scan: Scan) -> None:
    (match,) = scan(generate("token: {jwt:expired}", 1))
    assert (match.finding.confidence, match.finding.severity) == (MEDIUM, Severity.LOW)


def test_the_debug_key_of_android_is_low(scan: Scan) -> None:
    (match,) = scan(generate("{jks}", 1), "app/debug.keystore")
    assert match.finding.confidence is LOW
