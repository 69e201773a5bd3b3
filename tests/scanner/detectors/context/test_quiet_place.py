"""What only looks like a secret's place, as it stands in real repositories."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.model.finding import Confidence, Match

Scan = Callable[..., list[Match]]
HEX = generate("{hex:40}", 3).decode()


def shown(matches: list[Match]) -> list[str]:
    return [m.finding.rule for m in matches if m.finding.confidence is not Confidence.LOW]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("README.md", f"https://avatars.githubusercontent.com/u/14845943?s=400&u={HEX}&v=4"),
        ("a.json", f'{{"avatar_url": "https://avatars.githubusercontent.com/u/3?u={HEX}&v=4"}}'),
        ("build.gradle", "  implementation 'io.jsonwebtoken:jjwt-api:0.12.5'"),
        ("gradle.lockfile", "io.jsonwebtoken:jjwt-api:0.12.5=compileClasspath"),
        ("build.gradle", 'implementation "androidx.credentials:credentials:1.2.0-beta01"'),
        ("run.sh", 'ADMIN_PASSWORD="${ADMIN_PASSWORD:?Error: ADMIN_PASSWORD is required}"'),
        ("values.yaml", "passwordSecret: airflow-cluster1-mysql-password"),
        ("values.yaml", "pullSecret: quay-pull-2"),
        ("serverless.yml", "  PASSWORD_ITERATIONS: 4096"),
        ("Auth.swift", 'case passwordless = "emailLink"'),
        ("tokens.json", f'{{"token": "0x{HEX}", "symbol": "USDC"}}'),
        ("list_test.go", 'expectedNextToken: "1002.aaaaaa33-3350-4b4b-d185-0e1992ed43e9",'),
        ("sync.json", '"nextSyncToken": "CPDAlvWDx70CEPDAlvWDx70CGAU"'),
        ("values.yaml", "# --docker-password=<PASSWORD> --docker-email=<EMAIL_ADDRESS>"),
        ("README.md", "    keychain_password = SecureRandom.base64"),
        ("model.go", "\tpasswordDataV3 := passwordModelV3{"),
        ("model.go", "\tpassword := PasswordV2{}"),
        ("licenses.json", '"spdx_license_key": "LicenseRef-scancode-cexcept-2008",'),
        ("licenses.json", '"license_key": "netapp-sdk-aug2020",'),
        ("settings.xml", "<password>{COQLCE6DU6GtcS5P1Vq6A0bZ9xkQe7yMZ0u3hQwzJvY=}</password>"),
    ],
)
def test_it_is_not_shown(scan: Scan, path: str, text: str) -> None:
    assert shown(scan(text.encode() + b"\n", path)) == []


def test_a_line_of_wrapped_base64_is_no_token(scan: Scan) -> None:
    line = generate("{base64:60}", 4)
    whole = b"\\n".join([line, b"dG9r" + generate("{base64:56}", 5), line, line[:20]])
    assert shown(scan(b'{"content": "' + whole + b'"}\n', "contents.json")) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".env", "DB_PASSWORD={v}"),
        (".env", "OIDC_CLIENT_SECRET={v}"),
        (".env", "VAULT_SECRET_ID={v}"),
        ("application.yml", "keycloak:\n  credentials:\n    secret: {v}"),
        ("app.py", 'client_secret = "{v}"'),
    ],
)
def test_an_uuid_behind_a_secrets_name_is_the_secret(scan: Scan, path: str, text: str) -> None:
    value = "3f2b8c1e-9d47-4a6b-8e05-{}".format(generate("{hex:12}", 9).decode())
    assert len(shown(scan(text.replace("{v}", value).encode() + b"\n", path))) == 1


@pytest.mark.parametrize("text", ["session_id={v}", "client_id: {v}", "token: {v}"])
def test_an_uuid_elsewhere_is_an_id(scan: Scan, text: str) -> None:
    value = "3f2b8c1e-9d47-4a6b-8e05-{}".format(generate("{hex:12}", 9).decode())
    assert shown(scan(text.replace("{v}", value).encode() + b"\n", ".env")) == []


@pytest.mark.parametrize("form", ["{hex:5}-{hex:5}-{hex:5}-{hex:5}", "{hex:40}"])
def test_a_license_key_that_a_shop_sends_is_a_secret(scan: Scan, form: str) -> None:
    text = b'{"license_key": "%b"}\n' % generate(form, 11)
    assert shown(scan(text, "settings.json")) == ["generic-assignment"]


@pytest.mark.parametrize("word", ["fake", "Sample", "dummy", "todo", "example"])
def test_a_word_within_a_long_drawn_value_is_there_by_chance(scan: Scan, word: str) -> None:
    front, behind = generate("{base62:20}", 6).decode(), generate("{base62:24}", 7).decode()
    value = f"{front}1{word}2{behind}"
    assert shown(scan(f"a_password: {value}\n".encode(), "a.yml")) == ["generic-assignment"]
    assert shown(scan(f"a_password: {word}-{front}\n".encode(), "a.yml")) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("application.properties", "spring.mail.password=${MAIL_PW:{v}}"),
        ("application.yml", "password: ${MAIL_PW:{v}}"),
        ("run.sh", "export DB_PASSWORD=${DB_PASSWORD:-{v}}"),
        ("log4j2.properties", "appender.password=${env:MAIL_PW:-{v}}"),
    ],
)
def test_the_default_of_a_look_up_is_the_value(scan: Scan, path: str, text: str) -> None:
    found = scan(text.replace("{v}", "Kq7vXzm2WtR9").encode() + b"\n", path)
    shown_values = [
        m.parts["value"].reveal() for m in found if m.finding.confidence is not Confidence.LOW
    ]
    assert shown_values == [b"Kq7vXzm2WtR9"]
