"""What somebody encrypted on purpose is no secret, however it is quoted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.model.finding import Match

Scan = Callable[..., list[Match]]
_SEALED = [
    "ENC[AES256_GCM,data:{base64:28},iv:{base64:43}=,tag:{base64:22}==,type:str]",
    "ENC[PKCS7,{base64:120}]",
    "EJ[1:{base64:43}=:{base64:32}:{base64:64}]",
    "encrypted:B{base64:120}",
    "ENCRYPTED[{hex:120}]",
    "ENC({base64:40})",
    "{cipher}{hex:96}",
    "{AES}{base64:43}=",
    "vault:v1:{base64:60}",
    "AQICAH{base64:120}",
    "CiQA{base64:80}",
    "01000000d08c9ddf0115d1118c7a00c04fc297eb{hex:160}",
    "AQAAANCMnd8BFdERjHoAwE{base64:160}",
    "gAAAAA{base64url:100}",
    "U2FsdGVkX1{base64:54}",
    "eyJpdiI6I{base64:120}",
    "{AQAAABAAAA{base64:60}=}",
    "{base64:32}--{base64:16}--{base64:22}==",
    "AgB{base64:600}",
]
_PLACES = [
    ("s.json", '{{"db_password": "{}"}}\n'),
    ("s.yaml", "db_password: '{}'\n"),
    (".env", 'DB_PASSWORD="{}"\n'),
    ("s.ini", '[db]\npassword = "{}"\n'),
    ("app.py", 'PASSWORD = "{}"\n'),
]


@pytest.mark.parametrize("sealed", _SEALED)
@pytest.mark.parametrize(("path", "line"), _PLACES)
def test_a_sealed_value_is_quiet(scan: Scan, sealed: str, path: str, line: str) -> None:
    value = generate(sealed, 1).decode()
    assert scan(line.format(value).encode(), path) == []


def test_a_password_that_only_resembles_one_is_reported(scan: Scan) -> None:
    value = generate("enc[{base62:12}", 1).decode()
    assert scan(f'DB_PASSWORD="{value}"\n'.encode(), ".env")
