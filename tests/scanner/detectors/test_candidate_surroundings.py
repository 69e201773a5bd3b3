"""The same value is a secret in one place and none in another: what stands around it says so."""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.model.finding import Confidence, Match

Scan = Callable[..., list[Match]]

_TOKEN = "npm_{base62:30}{crc32_base62}"


def _levels(scan: Scan, text: str, path: str = "app.env", seed: int = 4) -> list[str]:
    return [m.finding.confidence.value for m in scan(generate(text, seed), path)]


@pytest.mark.parametrize(
    "front",
    ["example: '", '"example": "', 'placeholder="', "placeholder: 'e.g. ", "# e.g. "],
)
def test_what_is_shown_as_an_example_is_low(scan: Scan, front: str) -> None:
    assert _levels(scan, front + _TOKEN) == ["low"]


@pytest.mark.parametrize("front", ["example_token: '", "# for example\ntoken: '", "token: '"])
def test_a_name_that_only_speaks_of_examples_changes_nothing(scan: Scan, front: str) -> None:
    assert _levels(scan, front + _TOKEN) == ["high"]


def test_a_stretch_of_long_base64_is_no_token(scan: Scan) -> None:
    while True:
        blob = b64encode(secrets.token_bytes(240)).decode().replace("=", "A").replace("/", "b")
        if "+" not in blob:
            break
    token = "EAA" + "{base62:110}"
    for text in (f"{blob}/{token}/{blob}", f"{blob}+{token}", f"{token}/{blob}"):
        assert not [m for m in scan(generate(text, 1)) if m.finding.provider == "facebook"]
    for text in (f"https://graph.example.org/v1/{token}", f"{blob}\n{token}"):
        assert [m for m in scan(generate(text, 1)) if m.finding.provider == "facebook"]


def test_minified_code_assigns_no_passwords(scan: Scan) -> None:
    front = "a(b,c);" * 90
    line = "render({target:t,pass:'{password}'});"
    assert _levels(scan, front + line + front, "static/app.js", 1) == ["low"]
    assert scan(generate(f"{front}\n{line}\n{front}", 1), "static/app.js")
    assert _levels(scan, f"{front}t='{_TOKEN}';{front}", "static/app.js") == ["high"], "tokens stay"


def test_a_file_of_known_answers_holds_no_secrets(scan: Scan) -> None:
    secret = "SharedSecret={hex:48}\n"
    assert _levels(scan, "Derive=ALICE\nPeerKey=BOB\n" + secret, "ecdh.txt") == ["low"]
    assert _levels(scan, "COUNT = 0\nIV = {hex:32}\n" + secret, "kat.rsp") == ["low"]
    assert _levels(scan, "COUNT = 3\n" + secret, "app.txt") == ["medium"], "one alone is usual"
    settings = "TAG=1.4.2\nCOUNT=3\nOutput=log\nDB_PASSWORD={password}\n"
    assert _levels(scan, settings, "app.env") == ["medium"]


def test_the_name_of_the_key_below_is_no_secret(scan: Scan) -> None:
    name = "PrivateKey=ALICE_c2pnb163v1"
    assert scan(name.encode(), "keys.txt")
    rules = {m.finding.rule for m in scan(generate(name + "\n{pem:ec}", 1), "keys.txt")}
    assert rules == {"private-key"}


def test_yaml_in_a_module_of_python_is_documentation(scan: Scan) -> None:
    text = 'EXAMPLES = r"""\n- name: sign in\n  login:\n    password: "{password}"\n"""\n'
    assert _levels(scan, text, "modules/login.py") == ["low"]
    assert _levels(scan, text.replace("password:", "# password:"), "modules/login.py") == ["medium"]
    assert _levels(scan, 'x = {"password": "{password}"}\n', "modules/login.py") == ["medium"]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("sign('test_secret') => '{hex:64}'", "sign.js"),
        ("stdout '--- PASS: FuzzFoo'", "run.txt"),
        ('{id: "1", secret: "aabbccddeeffgghh"}', "token_test.go"),
        ('"TokenProjection": ".models.v1_token_projection",', "__init__.py"),
        ("lookup('general.onepassword_raw', 'Wintermute')", "lookup.yml"),
        ("CMS_R_NO_PASSWORD:178:no password", "errors.txt"),
        ("_CREDENTIALS._serialized_options = b'\\342?n{hex:20}'", "messages_pb2.py"),
        ('apiKey: "sk_test_123"', "client.rb"),
        ('<input name="csrfmiddlewaretoken" value="{base62:64}">', "form.html"),
        ("PASSWORD=man3/PKCS12_newpass.pod", "build.info"),
        ("KafkaVersion: __stringMin1Max128;", "kafka.d.ts"),
    ],
)
def test_what_only_looks_assigned_is_no_finding(scan: Scan, text: str, path: str) -> None:
    assert {m.finding.confidence.value for m in scan(generate(text, 2), path)} <= {"low"}


def test_a_key_that_a_text_only_begins_is_no_finding(scan: Scan) -> None:
    begun = "-----BEGIN RSA PRIVATE {word:KEY}-----\nMIIEow{base64:60}"
    assert not scan(generate(begun + "...\n-----END RSA PRIVATE {word:KEY}-----", 1))
    assert _levels(scan, begun + "\n-----END RSA PRIVATE {word:KEY}-----") == ["low"]
    assert "high" in _levels(scan, "{pem:rsa}")


def _key() -> list[str]:
    """A whole key of 2048 bits, line by line."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kind = serialization.PrivateFormat.TraditionalOpenSSL
    armour = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, kind, armour).decode().splitlines()


@pytest.mark.parametrize(
    ("front", "behind"),
    [
        ('"', '\\n" \\'),
        ("2024-05-01T12:00:00.1234567Z ", ""),
        ("app_1  | ", ""),
        ("  '", "' newline ..."),
        ('"', '\\n" .'),
    ],
)
def test_a_whole_key_is_one_whatever_joins_its_lines(scan: Scan, front: str, behind: str) -> None:
    text = "\n".join(f"{front}{line}{behind}" for line in _key())
    (finding,) = (m.finding for m in scan(text.encode(), "key.h"))
    assert finding.rule == "private-key"
    assert finding.confidence is not Confidence.LOW


def test_words_in_a_key_do_not_take_it_back(scan: Scan) -> None:
    lines = _key()
    text = "\n".join([*lines[:-1], "Comment: the end of it ...", lines[-1]])
    assert [m.finding.confidence.value for m in scan(text.encode())] == ["high"]
    ecdsa = "\n".join(["-----BEGIN ECDSA PRIVATE " + "KEY-----", *lines[1:3]])
    assert [m.finding.confidence.value for m in scan(ecdsa.encode())] != ["low"]


@pytest.mark.parametrize("above", ["INSTANCE_ID=7", "cluster_id: 7", "session_id=7", "HOST=a"])
def test_an_id_on_the_line_above_says_nothing_of_a_key(scan: Scan, above: str) -> None:
    assert _levels(scan, above + "\nALGOLIA_KEY={hex:32}") == ["medium"]
    assert "medium" not in _levels(scan, "algolia\nserver_id={hex:32}")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("KEEPASS_MASTER_PASSWORD={password}", "app.env"),
        ("LASTPASS_PASSWORD={password}", "app.env"),
        ("USER1PASSWORD={password}", "app.env"),
        ("ZONEPASSWORD={password}", "app.env"),
        ("WTF_CSRF_SECRET_KEY={hex:48}", "app.env"),
        ("CSRF_SIGNING_SECRET={hex:48}", "app.env"),
        ("-- DB_PASSWORD: {password}\nselect 1;", "seed.sql"),
        ("passphrase: {password}\n\n-----BEGIN ENCRYPTED PRIVATE {word:KEY}-----\nMII", "note.txt"),
        ('C = {\n    CONF_USER: "a",\n    CONF_PASSWORD: "{password}"\n}\n', "conf.py"),
    ],
)
def test_what_resembles_such_places_stays_a_finding(scan: Scan, text: str, path: str) -> None:
    assert _levels(scan, text, path) == ["medium"]


def test_a_token_behind_a_long_path_is_not_within_base64(scan: Scan) -> None:
    path = "{base62:20}aB3/{base62:40}"
    assert _levels(scan, f"https://files.internal/{path}/{_TOKEN}") == ["high"]


def test_what_was_crossed_out_is_one_doubt_and_not_two(scan: Scan) -> None:
    token = generate(_TOKEN, 7)
    (match,) = scan(b"T=" + token[:15] + b"xxxx" + token[19:])
    assert (match.finding.confidence.value, match.finding.reason) == ("medium", "checksum failed")
