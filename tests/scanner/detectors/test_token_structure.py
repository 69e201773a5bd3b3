"""Checksums and parses of the families: issued tokens are high, altered ones are doubtful."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from stanch.scanner.detectors.matching.pattern import compiled, whole
from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.detectors.ruleset.ruleset import load
from stanch.scanner.detectors.structure.crc import crc16_xmodem
from stanch.scanner.detectors.structure.wallet import base58_decoded, base58check, bech32
from stanch.scanner.model.error import RuleError
from stanch.scanner.model.finding import Match

Scan = Callable[..., list[Match]]

_FAMILIES = {
    "npm_{base62:30}{crc32_base62}": "npm-access-token",
    "vcp_{base62:50}{crc32_base62}": "vercel-token",
    "ddp_{base62:30}{crc32_base62}": "deno-deploy-token",
    "cfut_{base62:40}{crc32_hex}": "cloudflare-token",
    "zpka_{base62:32}_{crc32_hex}": "zuplo-api-key",
    "glsa_{base62:32}_{crc32_grafana}": "grafana-service-account-token",
    "cflt{base64:54}{crc32_confluent}": "confluent-api-secret",
    "apify_api_{base62:30}{crc32_apify}": "apify-api-token",
    "ATBB{base62:24}{crc32_hexup}": "bitbucket-app-password",
    "{age_key}": "age-secret-key",
    "{nkey_seed}": "nats-nkey-seed",
    "{azure_storage_key}": "azure-identifiable-key-64",
    "{azure_cask}": "azure-cask-key",
}


@pytest.mark.parametrize(("template", "rule"), _FAMILIES.items())
def test_a_checksum_that_holds_is_high_and_one_that_fails_is_doubtful(
    scan: Scan, template: str, rule: str
) -> None:
    token = generate(template, 3)
    (match,) = scan(b"v " + token + b" w")
    assert (match.finding.rule, match.finding.confidence.value) == (rule, "high")
    assert match.finding.reason == "prefix+checksum"
    at = len(token) - 20
    altered = token[:at] + (b"A" if token[at : at + 1] != b"A" else b"C") + token[at + 1 :]
    for path, confidence in (("app.env", "medium"), ("tests/test_login.py", "low")):
        (match,) = scan(b"v " + altered + b" w", path)
        assert (match.finding.rule, match.finding.confidence.value) == (rule, confidence)
        assert match.finding.reason == "checksum failed"


_REGULAR = "abcdefghijklmnopqrstuvwxyz" + "0123456789"


@pytest.mark.parametrize(
    ("path", "confidence"),
    [("deploy.yaml", "medium"), ("docs/setup.txt", "low"), ("README.md", "low")],
)
def test_a_token_that_looks_made_up_is_doubtful_by_its_place(
    scan: Scan, path: str, confidence: str
) -> None:
    (match,) = scan(b"xai-" + _REGULAR.encode() * 2 + generate("{base62:8}", 1), path)
    assert (match.finding.confidence.value, match.finding.reason) == (confidence, "looks made up")


def test_a_token_with_two_reasons_for_doubt_is_left_to_who_asks_for_it(scan: Scan) -> None:
    (match,) = scan(b"key: npm_" + _REGULAR.encode())
    assert match.finding.confidence.value == "low"
    assert match.finding.reason == "checksum failed"


@pytest.mark.parametrize(
    "template",
    ["npm_{repeat:x:36}", "npm_{repeat:0:30}{base62:6}", "npm_{base62:20}{word:EXAMPLE}{base62:9}"],
)
def test_a_mask_in_a_token_s_place_is_not_reported(scan: Scan, template: str) -> None:
    assert not scan(generate(template, 1))


def test_a_token_with_a_few_characters_crossed_out_is_reported(scan: Scan) -> None:
    (match,) = scan(generate("xai-{base62:40}{repeat:X:8}{base62:32}", 1))
    assert match.finding.confidence.value == "medium"


def test_an_id_that_nobody_has_issued_counts_with_its_secret_only(scan: Scan) -> None:
    made_up = b"GOOG1" + generate("{base32:40}", 1) + b"0189" + generate("{base32:12}", 1)
    (alone,) = scan(b"id: " + made_up)
    assert (alone.finding.confidence.value, alone.finding.reason) == ("low", "not base32")
    (pair,) = scan(b"id: " + made_up + b"\nsecret: " + generate("{base64:40}", 1))
    assert (pair.finding.kind, pair.finding.confidence.value) == ("hmac-key", "medium")


def test_a_token_that_is_not_hexadecimal_as_all_others_is_doubtful(scan: Scan) -> None:
    (issued,) = scan(generate("v = sbp_{hex:40}", 2))
    assert issued.finding.confidence.value == "high"
    (other,) = scan(generate("v = sbp_{hex:20}z{hex:19}", 2))
    assert (other.finding.confidence.value, other.finding.reason) == ("medium", "not hex")


def test_user_credentials_with_a_stand_in_for_their_token_are_low(scan: Scan) -> None:
    template = '{{"client_id": "{base62:20}", "client_secret": "{base62:24}", '
    template += '"refresh_token": "TOKEN", "type": "authorized_user"}}'
    levels = []
    for token in ("1//0{base62:60}", "refreshToken"):
        text = generate(template.replace("{{", "{").replace("}}", "}").replace("TOKEN", token), 1)
        found = [m.finding for m in scan(text) if m.finding.rule == "google-authorized-user"]
        levels.append([each.confidence.value for each in found])
    assert levels == [["high"], ["low"]]


def test_an_object_with_other_members_is_no_token(scan: Scan) -> None:
    rules = {m.finding.rule for m in scan(generate("v={b64json:a,t,s}", 1))}
    assert "cloudflare-tunnel-token" in rules
    rules = {m.finding.rule for m in scan(generate("v={b64json:a,t,x}", 1))}
    assert "cloudflare-tunnel-token" not in rules


@pytest.mark.parametrize(
    ("template", "rule"),
    [
        ("{gcp_json}", "google-service-account"),
        ("{gcp_adc}", "google-authorized-user"),
        ("kind: Secret{lf}data:{lf}  password: {b64password}{lf}", "kubernetes-secret-manifest"),
        ('{"auths": {"r.internal": {"auth": "{basic}"}}}', "docker-registry-auth"),
        ("ops_{b64json:email,muk,secretKey,srpX}", "onepassword-service-account-token"),
        ("{pypi_macaroon}", "pypi-api-token"),
        ("{discord_token}", "discord-bot-token"),
        ('{"kty":"oct","k":"{base62:43}"}', "jwk-private-key"),
    ],
)
def test_a_document_is_known_by_what_it_decodes_to(scan: Scan, template: str, rule: str) -> None:
    found = {m.finding.rule: m.finding for m in scan(generate(template, 5))}
    assert found[rule].confidence.value == "high"


@pytest.mark.parametrize(
    ("template", "rule", "kind"),
    [
        ("AC{hex:32}{lf}TWILIO_AUTH_TOKEN={hex:32}", "twilio-account-sid", "account-credentials"),
        ("GOOG1E{base36up:55}{lf}{base64:40}", "google-gcp-hmac-key", "hmac-key"),
        ("LTAI{base62:16}{lf}{base62:30}", "alibaba-access-key-id", "access-key"),
        ("AKID{base62:32}{lf}{base62:32}", "tencent-secret-id", "access-key"),
        ("SCW{base36up:17}{lf}SCW_SECRET_KEY={uuid}", "scaleway-access-key", "api-key-pair"),
        ("akab-{base36:16}-{base36:16}{lf}{base64:43}=", "akamai-edgegrid-token", "edgegrid"),
    ],
)
def test_an_id_and_its_secret_are_one_credential(
    scan: Scan, template: str, rule: str, kind: str
) -> None:
    (match,) = scan(generate(template, 7))
    assert (match.finding.rule, match.finding.kind) == (rule, kind)
    assert match.finding.severity.value == "critical"
    assert len(match.parts) == 2


def test_the_algorithms_agree_with_published_values() -> None:
    assert crc16_xmodem(b"123456789") == 0x31C3  # the check value of CRC-16/XMODEM
    assert bech32("a", b"") == "a12uel5l"  # BIP 173's first valid text
    raw = b"\x80" + bytes(range(32)) + b"\x01"
    assert base58_decoded(base58check(raw))[:-4] == raw


def test_a_token_may_follow_an_escape_and_not_a_word() -> None:
    pattern = compiled(whole("acme_[0-9]{4}"))
    assert pattern.search(b"\\nacme_1234")
    assert pattern.search(b"q%3Dacme_1234")
    assert not pattern.search(b"xacme_1234")
    assert not pattern.search(b"acme_12345")


def test_a_short_name_does_not_begin_a_longer_word() -> None:
    pattern = compiled(whole("[0-9]{4}", ["box"]))
    assert pattern.search(b"box_key = 1234")
    assert pattern.search(b"boxToken 1234")
    assert not pattern.search(b"boxes 1234")


_HOSTILE = ["(a{1,200}){1,100}b", "(a|a){1,60}b", "(a{0,90}){0,90}c", "([a-z]{1,50}){2,40}9"]


@pytest.mark.parametrize("pattern", _HOSTILE)
def test_a_pattern_that_could_hang_the_scanner_is_refused(tmp_path: Path, pattern: str) -> None:
    rule = generate("{word:provider}: acme", 0).decode() + (
        "\nrules:\n  - id: acme-token\n    title: t\n    kind: k\n    class: B\n"
        "    severity: high\n    confidence: high\n"
        f"    pattern: '{pattern}'\n"
        "    remedy: r\n    link: l\n    match: null\n    reject: null\n"
    )
    (tmp_path / "acme.yaml").write_text(rule)
    with pytest.raises(RuleError, match=r"acme.yaml:9: .* in too many ways"):
        load([tmp_path / "acme.yaml"])


@pytest.mark.timeout(60)  # quadratic work over this much takes minutes
def test_near_misses_without_end_are_read_to_the_end(scan: Scan) -> None:
    chance = random.Random(4)  # noqa: S311 - reproducible text, no secret
    unit = base64.b64encode(chance.randbytes(3000)) + b" key: box token= user=a;host=b password \n"
    assert len(scan(unit * 256)) <= 256 * (len(scan(unit)) + 1)


@pytest.mark.parametrize(
    ("template", "rule"),
    [
        ("# cloudflare{lf}DATADOG_API_KEY={hex:40}", "datadog-application-key"),
        ("# datadog{lf}CIRCLECI_TOKEN={hex:40}", "circleci-legacy-token"),
        ("COHERE_SECRET_KEY={base62:40}", "cohere-api-key"),
    ],
)
def test_of_two_providers_the_nearer_name_wins(scan: Scan, template: str, rule: str) -> None:
    (match,) = scan(generate(template, 2))
    assert match.finding.rule == rule


def test_a_value_near_a_name_in_a_secret_s_place_is_that_provider_s(scan: Scan) -> None:
    value = generate("{base36:40}", 2)
    (match,) = scan(b"datadog api, see build id\napp.token: " + value)
    assert match.finding.provider == "datadog"
    assert match.finding.confidence.value == "medium"


@pytest.mark.parametrize("sign", ["@", "!", "^"])
def test_a_part_of_something_longer_is_no_token(scan: Scan, sign: str) -> None:
    template = f"sonar_token = '{sign}{{base36:40}}'"
    assert "sonar" not in {m.finding.provider for m in scan(generate(template, 2))}


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        ("postgresql+asyncpg://svc:{password}@db/app", "postgres"),
        ("mongodb+srv://svc:{password}@db/app", "mongodb"),
        ("rediss://:{password}@cache:6379/0", "redis"),
        ("mysql://svc:{password}@db/app", "database"),
    ],
)
def test_a_url_names_its_database(scan: Scan, url: str, provider: str) -> None:
    (match,) = scan(generate(f"DATABASE_URL={url}", 3))
    assert (match.finding.provider, match.finding.kind) == (provider, "connection-url")


@pytest.mark.parametrize(
    ("front", "back"),
    [("\x1b[32m", "\x1b[0m"), ("\x1b[1;33m", "\x1b[m"), ("\\u001b[1;31m", "\\u001b[0m")],
)
def test_a_colour_does_not_hide_a_token_nor_move_it(scan: Scan, front: str, back: str) -> None:
    token = generate("npm_{base62:30}{crc32_base62}", 4)
    (match,) = scan(b"key: " + front.encode() + token + back.encode() + b" done")
    assert match.parts["value"].reveal() == token
    assert match.finding.span.column == len("key: " + front) + 1
