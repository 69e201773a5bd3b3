"""Authorization headers, in whatever a program or a recording makes of them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.model.finding import Confidence, Match

Scan = Callable[..., list[Match]]
TOKEN = generate("{base62:40}", 3).decode()
BASIC = generate("{basic}", 3).decode()

_SEEN = [
    ("call.sh", f"curl -H 'Authorization: {TOKEN}' https://api.internal/v1\n"),
    ("call.sh", f'curl -H "authorization: token {TOKEN}" https://api.internal/v1\n'),
    ("a.http", f"GET https://api.internal/v1\nAuthorization: ApiKey {TOKEN}\n"),
    ("A.cs", f'x.Authorization = new AuthenticationHeaderValue("Bearer", "{TOKEN}");\n'),
    ("A.cs", f'var h = new AuthenticationHeaderValue("Bearer", "{TOKEN}");\n'),
    ("a.py", f'headers = {{"Authorization": "{TOKEN}"}}\n'),
    ("a.py", f'headers = {{"Authorization": ["Bearer {TOKEN}"]}}\n'),
    ("nginx.conf", f'proxy_set_header Authorization "Bearer {TOKEN}";\n'),
    ("nginx.conf", f"proxy_set_header X-Api-Key {TOKEN};\n"),
    ("a.log", f"headers: Authorization=[Bearer {TOKEN}], Accept=[*/*]\n"),
    ("c.yml", f"    headers:\n      Authorization:\n      - Bearer {TOKEN}\n"),
    ("c.yml", f"    headers:\n      Authorization:\n      - Basic {BASIC}\n"),
    ("c.yml", f'    headers:\n      Authorization: ["Bearer {TOKEN}"]\n'),
    ("c.yml", f"    headers:\n      X-Auth-Token:\n      - {TOKEN}\n      Accept:\n      - x\n"),
    ("c.yml", f"headers:\n- name: Authorization\n  value: Bearer {TOKEN}\n"),
    ("t.har", json.dumps({"headers": [{"name": "Authorization", "value": f"Bearer {TOKEN}"}]})),
    ("t.har", json.dumps([{"name": "authorization", "value": TOKEN}], indent=4)),
    ("p.json", json.dumps([{"value": f"Bearer {TOKEN}", "type": "text", "key": "Authorization"}])),
    ("a.js", f"fetch(url, {{headers: {{Authorization: `Bearer {TOKEN}`}}}})\n"),
    ("a.rb", f'req["Authorization"] = "Bearer {TOKEN}"\n'),
]


@pytest.mark.parametrize(("path", "text"), _SEEN)
def test_the_credential_is_found_without_its_scheme(scan: Scan, path: str, text: str) -> None:
    found = [
        each for each in scan(text.encode(), path) if each.finding.confidence is not Confidence.LOW
    ]
    values = [each.parts["value"].reveal().decode() for each in found]
    assert values in ([TOKEN], [BASIC])


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", 'headers = {"Authorization": f"Bearer {token}"}\n'),
        ("a.py", "authorization = request.headers.get2('x')\n"),
        ("a.ts", "authorization: AuthorizationServiceClient2Factory,\n"),
        ("a.md", "Authorization: token-based-authentication-version2\n"),
        ("t.har", json.dumps([{"name": "Authorization", "value": "Bearer {{access_token}}"}])),
        ("t.har", json.dumps([{"name": "Authorization", "value": "Digest username=a, nonce=1"}])),
        ("openapi.json", json.dumps({"name": "Authorization", "in": "header", "required": True})),
        ("c.yml", "headers:\n  Authorization:\n  - <BEARER_TOKEN>\n"),
        ("nginx.conf", "proxy_set_header Authorization $http_authorization;\n"),
        ("a.go", 'req.Header.Set("Authorization", "Bearer "+token)\n'),
    ],
)
def test_what_only_speaks_of_the_header_is_quiet(scan: Scan, path: str, text: str) -> None:
    assert [
        each for each in scan(text.encode(), path) if each.finding.confidence is not Confidence.LOW
    ] == []
