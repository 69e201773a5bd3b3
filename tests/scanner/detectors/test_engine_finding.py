from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest

from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.model.finding import Confidence, Match, Severity, Span

Scan = Callable[..., list[Match]]


def summary(matches: list[Match]) -> list[tuple[str, str, str]]:
    return [(m.finding.rule, m.finding.confidence.value, m.finding.reason) for m in matches]


def test_a_finding_says_where_the_secret_stands_and_not_what_it_is(scan: Scan) -> None:
    token = generate("ghp_{base62:30}{crc32_base62}", 1)
    (match,) = scan(b"# one\n  token=" + token + b"\n")
    finding = match.finding
    assert finding.span == Span(line=2, column=9, end_line=2, end_column=9 + len(token))
    assert finding.preview == f"ghp_…{token[-4:].decode()}"
    assert finding.reason == "prefix+checksum"
    assert token.decode() not in repr(match)
    assert match.parts["value"].reveal() == token


def test_lines_count_from_the_fragments_first_line(scan: Scan) -> None:
    (match,) = scan(b"\nxoxb-" + generate("{digits:12}-{digits:12}-{base62:24}", 2), first_line=500)
    assert match.finding.span.line == 501


def test_a_failed_checksum_lowers_confidence_and_drops_nothing(scan: Scan) -> None:
    matches = scan(generate("ghs_{base62:30}AAAAAA", 3))
    assert summary(matches) == [("github-installation", "medium", "checksum failed")]


def test_documentation_keys_are_dropped_even_for_weaker_rules(scan: Scan) -> None:
    assert scan(b"aws_access_key = AKIAIOSFODNN7" + b"EXAMPLE\n") == []
    assert scan(b"token: ghp_" + b"x" * 36) == []


def test_key_id_and_secret_key_are_one_credential(scan: Scan) -> None:
    key_id, secret = generate("{aws_key_id}", 4), generate("{aws_secret}", 4)
    (match,) = scan(b"id: " + key_id + b"\n\nkey: " + secret + b"\n")
    assert match.finding.rule == "aws-access-key"
    assert match.finding.severity is Severity.CRITICAL
    assert match.finding.confidence is Confidence.HIGH
    assert match.finding.reason == "prefix+pair"
    assert [each.line for each in match.finding.also] == [3]
    assert {name: part.reveal() for name, part in match.parts.items()} == {
        "access_key_id": key_id,
        "secret_access_key": secret,
    }


def test_a_lone_key_id_is_less_grave_and_the_same_incident(scan: Scan) -> None:
    key_id, secret = generate("{aws_key_id}", 5), generate("{aws_secret}", 5)
    (pair,) = scan(key_id + b"," + secret)
    (lone,) = scan(key_id)
    assert lone.finding.severity is Severity.MEDIUM
    assert lone.finding.kind == pair.finding.kind == "access-key"
    assert lone.finding.fingerprint == pair.finding.fingerprint
    assert list(lone.parts) == ["access_key_id"]


def test_each_key_id_takes_the_secret_beside_it(scan: Scan) -> None:
    ids = [generate("{aws_key_id}", n) for n in range(6, 9)]
    secrets = [generate("{aws_secret}", n) for n in range(6, 9)]
    lines = [b"%s\naws_secret_access_key=%s" % pair for pair in zip(ids, secrets, strict=True)]
    matches = scan(b"\n".join(lines))
    assert [m.parts["secret_access_key"].reveal() for m in matches] == secrets


def test_a_file_that_names_the_secret_first_is_paired_as_it_is_written(scan: Scan) -> None:
    ids = [generate("{aws_key_id}", n) for n in range(3)]
    secrets = [generate("{aws_secret}", n) for n in range(3)]
    lines = [b"aws_secret_access_key=%s\n%s" % pair for pair in zip(secrets, ids, strict=True)]
    matches = scan(b"\n".join(lines))
    assert [m.parts["secret_access_key"].reveal() for m in matches] == secrets


def test_a_secret_that_joined_is_not_reported_by_a_weaker_rule(scan: Scan) -> None:
    matches = scan(generate("key: {aws_key_id}{lf}secret: {aws_secret}", 3))
    assert [m.finding.rule for m in matches] == ["aws-access-key"]


def test_a_named_secret_key_far_from_any_id_stands_by_itself(scan: Scan) -> None:
    key_id, secret = generate("{aws_key_id}", 9), generate("{aws_secret}", 9)
    matches = scan(key_id + b"\n" * 12 + b"aws_secret_access_key = " + secret)
    assert [m.finding.rule for m in matches] == ["aws-access-key", "aws-secret-key"]


def test_session_credentials_join_all_three_parts(scan: Scan) -> None:
    text = generate(
        "aws_access_key_id = {aws_session_id}{lf}aws_secret_access_key = {aws_secret}{lf}"
        "aws_session_token = {aws_session_token}{lf}",
        10,
    )
    (match,) = scan(text)
    assert match.finding.kind == "session"
    assert sorted(match.parts) == ["access_key_id", "secret_access_key", "session_token"]


def test_a_session_token_without_its_secret_is_reported_by_itself(scan: Scan) -> None:
    matches = scan(generate("{aws_session_id}{lf}{aws_session_token}", 11))
    assert [m.finding.rule for m in matches] == ["aws-session-key", "aws-session-token"]
    assert matches[0].finding.severity is Severity.LOW


def test_one_secret_at_one_place_is_one_finding_of_the_most_specific_rule(scan: Scan) -> None:
    matches = scan(generate('github_token = "ghp_{base62:30}{crc32_base62}"', 12))
    assert [m.finding.rule for m in matches] == ["github-pat"]


@pytest.mark.parametrize("kind", ["rsa", "ec", "pkcs8", "openssh", "encrypted", "pgp"])
def test_a_private_key_spans_its_whole_block(scan: Scan, kind: str) -> None:
    block = generate("{pem:" + kind + "}", 13)
    (match,) = scan(b"before\n" + block + b"\nafter\n")
    assert match.finding.span.line == 2
    assert match.finding.span.end_line == 2 + block.count(b"\n")
    assert match.parts["value"].reveal() == block
    assert match.finding.preview == f"<{len(block)} bytes>"
    grave = Severity.MEDIUM if kind == "encrypted" else Severity.CRITICAL
    assert match.finding.severity is grave


def test_a_private_key_is_found_escaped_indented_and_cut_off(scan: Scan) -> None:
    escaped = b'key = "' + generate("{pem_escaped:rsa}", 14) + b'"'
    indented = b"key: |\n" + generate("{pem:ec}", 14).replace(b"\n", b"\n    ")
    cut_off = generate("{pem:pkcs8}", 14)[:600]
    for text in (escaped, indented, cut_off):
        assert [m.finding.rule for m in scan(text)] == ["private-key"], text[:12]


def test_a_tokens_severity_falls_when_it_has_expired(scan: Scan) -> None:
    (valid,) = scan(generate("{jwt}", 15))
    (expired,) = scan(generate("{jwt:expired}", 15))
    assert (valid.finding.severity, valid.finding.reason) == (Severity.HIGH, "parse")
    assert (expired.finding.severity, expired.finding.reason) == (Severity.LOW, "parse, expired")
    assert scan(generate("{jwt:none}", 15)) == []


@pytest.mark.parametrize(
    ("claims", "severity", "confidence", "reason"),
    [
        ({"role": "service_role"}, Severity.HIGH, Confidence.HIGH, "parse"),
        ({"role": "anon"}, Severity.LOW, Confidence.HIGH, "parse"),
        (
            {"sub": "1234567890", "name": "John Doe"},
            Severity.HIGH,
            Confidence.LOW,
            "placeholder",
        ),
    ],
)
def test_a_token_is_judged_by_its_claims(
    scan: Scan, claims: dict[str, str], severity: Severity, confidence: Confidence, reason: str
) -> None:
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    head = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    (match,) = scan(b"t: " + head + b"." + generate("{base64url:43}", 1))
    finding = match.finding
    assert (finding.severity, finding.confidence, finding.reason) == (severity, confidence, reason)


def test_the_documented_secret_key_is_only_low(scan: Scan) -> None:
    documented = generate("{aws_secret}", 2)[:30] + b"EXAMPLE" + b"KEY"
    matches = scan(b"aws_secret_access_key = " + documented)
    assert summary(matches) == [("aws-secret-key", "low", "placeholder")]


def test_a_database_url_shows_scheme_and_host_only(scan: Scan) -> None:
    (match,) = scan(generate("DSN=postgres://svc:{password}@db.internal:5432/app?ssl=1", 16))
    assert match.finding.preview == "postgres://…@db.internal"
    assert match.parts["value"].reveal().endswith(b"/app?ssl=1")


def test_the_same_bytes_give_the_same_findings_in_order_of_position(scan: Scan) -> None:
    text = b"\n".join(generate("{aws_key_id}{lf}password={password}", n) for n in range(20))
    first = [m.finding for m in scan(text)]
    assert first == [m.finding for m in scan(text)]
    places = [(f.span.line, f.span.column) for f in first]
    assert places == sorted(places)
    assert len(first) == 40


def test_columns_are_told_in_characters_too(scan: Scan) -> None:
    value = generate("{base62:12}", 8).decode()
    (match,) = scan(f'x = "äöü€"; db_password={value}\n'.encode())
    assert match.finding.span.column == len('x = "äöü€"; db_password='.encode()) + 1
    begin = len('x = "äöü€"; db_password=') + 1
    assert match.finding.span.characters == (begin, begin + 12)
