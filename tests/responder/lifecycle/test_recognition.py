from __future__ import annotations

import io
import json
import secrets
import zlib

from stanch.responder.lifecycle.inventory.recognition import Recognition
from stanch.scanner.api import FingerprintKey, Match, Scanner
from stanch.scanner.model.secret import SecretValue

KEY = FingerprintKey(SecretValue(secrets.token_bytes(32)))


def leaked(text: str, name: str = "deploy/settings.py") -> set[str]:
    found = Scanner(key=KEY, processes=1).scan_stream(io.BytesIO(text.encode()), name=name)
    return {each.finding.fingerprint for each in found if isinstance(each, Match)}


def test_a_scan_that_finds_a_known_value_anywhere_gives_a_known_fingerprint() -> None:
    recognition = Recognition(KEY)
    password = secrets.token_urlsafe(18)
    known = recognition.fingerprints("DB_PASSWORD", SecretValue(password.encode()))
    for text, name in (
        (f'password = "{password}"\n', "settings.py"),
        (f"db:\n  password: {password}\n", "values.yaml"),
    ):
        found = leaked(text, name)
        assert found
        assert found <= known


def test_fields_of_json_are_known_by_themselves_and_their_host_is_not() -> None:
    password = secrets.token_urlsafe(18)
    value = json.dumps({"host": "db.internal.example", "username": "app", "password": password})
    known = Recognition(KEY).fingerprints("DB_CONNECTION", SecretValue(value.encode()))
    assert leaked(f'password = "{password}"\n') <= known
    host = KEY.fingerprint("generic", "generic", SecretValue(b"db.internal.example"))
    assert host not in known


def test_a_token_with_a_form_of_its_own_is_known_by_its_rule() -> None:
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    body = "".join(secrets.choice(alphabet) for _ in range(30))
    number, check = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        check = alphabet[digit] + check
    token = "ghp" + "_" + body + check
    known = Recognition(KEY).fingerprints("GITHUB_TOKEN", SecretValue(token.encode()))
    found = leaked(f"curl -H 'Authorization: token {token}' https://api.github.com\n", "run.sh")
    assert found
    assert found <= known
