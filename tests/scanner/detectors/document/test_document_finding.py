"""A credential that is a document is one finding, at its value, identified by its value."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable

import pytest

from stanch.scanner.detectors.engine import Engine
from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.model.finding import Confidence, Match
from stanch.scanner.model.fragment import Fragment
from stanch.scanner.model.provenance import InStream

Scan = Callable[..., list[Match]]
_SHOWN = (Confidence.MEDIUM, Confidence.HIGH)


def made(template: str, seed: int = 0) -> str:
    return generate(template, seed).decode()


def sixty_four(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def shown(matches: list[Match]) -> list[Match]:
    return [each for each in matches if each.finding.confidence in _SHOWN]


def manifest(value: str, *, kind: str = "Secret", part: str = "data", key: str = "entry") -> str:
    return f"apiVersion: v1\nkind: {kind}\nmetadata:\n  name: x\n{part}:\n  {key}: {value}\n"


def test_a_secret_is_found_where_its_value_stands_and_is_what_it_decodes_to(scan: Scan) -> None:
    password = made("{password}")
    (match,) = shown(scan(manifest(sixty_four(password)).encode(), "db.yaml"))
    assert match.finding.rule == "kubernetes-secret-manifest"
    assert (match.finding.span.line, match.finding.span.column) == (6, 10)
    assert match.parts["value"].reveal() == password.encode()


def test_one_secret_is_one_in_a_manifest_in_its_data_and_in_a_file_of_settings(scan: Scan) -> None:
    password = made("{password}")
    forms = [
        scan(manifest(sixty_four(password)).encode(), "a.yaml"),
        scan(manifest(f'"{password}"', part="stringData").encode(), "b.yaml"),
        scan(
            json.dumps({"data": {"k": sixty_four(password)}, "kind": "Secret"}).encode(), "c.json"
        ),
        scan(f"DB_PASSWORD={password}\n".encode(), ".env"),
    ]
    assert len({match.finding.fingerprint for form in forms for match in shown(form)}) == 1
    assert all(shown(form) for form in forms)


def test_every_value_of_a_secret_is_one_finding(scan: Scan) -> None:
    one, two = made("{password}", 1), made("{password}", 2)
    text = f"kind: Secret\ndata:\n  a: {sixty_four(one)}\n  b: {sixty_four(two)}\n"
    lines = [match.finding.span.line for match in shown(scan(text.encode(), "s.yaml"))]
    assert lines == [3, 4]


def test_a_token_in_a_secret_keeps_its_own_name(scan: Scan) -> None:
    token = made("ghp_{base62:30}{crc32_base62}")
    (match,) = shown(scan(manifest(sixty_four(token)).encode(), "s.yaml"))
    assert match.finding.rule.startswith("github-")


@pytest.mark.parametrize("owner", ["SealedSecret", "ExternalSecret"])
def test_what_a_controller_made_is_in_clear(scan: Scan, owner: str) -> None:
    text = manifest(sixty_four(made("{password}")))
    text += f"ownerReferences:\n- kind: {owner}\n  apiVersion: bitnami.com/v1alpha1\n"
    assert shown(scan(text.encode(), "s.yaml"))


@pytest.mark.parametrize("far", [7_000, 200_000])
def test_distance_hides_nothing(scan: Scan, far: int) -> None:
    chain = base64.b64encode(random.Random(far).randbytes(far)).decode()  # noqa: S311 - made up
    text = f"data:\n  ca.crt: {chain}\n  entry: {sixty_four(made('{password}'))}\nkind: Secret\n"
    assert 3 in {match.finding.span.line for match in shown(scan(text.encode(), "s.yaml"))}


@pytest.mark.parametrize(
    "value",
    [
        "op://vault/item/field",
        "ref+vault://secret/data/db#password",
        "vault:secret/data/db#password",
        "<path:secret/data/db#password>",
        "$(DB_PASSWORD)",
        "${DB_PASSWORD}",
        "{{ .Values.password }}",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db",
        "{cipher}" + "0a" * 30,
        "ENC[AES256_GCM,data:Zm9vYmFy,iv:Zm9v,tag:YmFy,type:str]",
        "-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----",
    ],
)
def test_what_points_elsewhere_is_sealed_or_is_public_is_no_finding(scan: Scan, value: str) -> None:
    plain = manifest(json.dumps(value.replace("\\n", "\n")), part="stringData")
    assert scan(plain.encode(), "s.yaml") == []
    assert scan(manifest(sixty_four(value.replace("\\n", "\n"))).encode(), "s.yaml") == []


@pytest.mark.parametrize("kind", ["SealedSecret", "ExternalSecret", "SecretStore", "ConfigMap"])
def test_other_kinds_hold_no_secret(scan: Scan, kind: str) -> None:
    assert shown(scan(manifest(sixty_four(made("{password}")), kind=kind).encode(), "s.yaml")) == []


@pytest.mark.parametrize(
    ("entry", "value"), [("username", "svc-reader7"), ("port", "5432"), ("p", "changeme")]
)
def test_what_stands_beside_the_secret_is_low(scan: Scan, entry: str, value: str) -> None:
    found = scan(manifest(f'"{value}"', part="stringData", key=entry).encode(), "s.yaml")
    assert [match.finding.confidence for match in found] == [Confidence.LOW]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("s.yaml", "kind: Secret\nstringData:\n  <<: &b {entry: X}\n"),
        ("s.ts", "new k8s.Secret('x', { kind: 'Secret', stringData: { entry: 'X' } });\n"),
        ("s.md", "Make it:\n\n```yaml\nkind: Secret\nstringData:\n  entry: X\n```\n\nDone.\n"),
        ("s.sh", "kubectl apply -f - <<EOF\nkind: Secret\nstringData:\n  entry: X\nEOF\necho\n"),
        (
            "s.yaml",
            "kind: ConfigMap\ndata:\n  a: |\n    kind: Secret\n    stringData:\n      b: X\n",
        ),
        ("s.yaml", 'last: |\n  {"stringData":{"entry":"X"},"kind":"Secret"}\n'),
        ("s.yaml", "'kind': 'Secret'\n'stringData':\n  'entry': 'X'\n"),
        (
            "t.yaml",
            "{{- if .on }}\nkind: Secret\nname: {{ .n }}\nstringData:\n  e: X\n{{- end }}\n",
        ),
    ],
)
def test_a_secret_is_seen_wherever_it_is_written(scan: Scan, path: str, text: str) -> None:
    password = made("{password}")
    found = shown(scan(text.replace("X", password).encode(), path))
    assert [match.parts["value"].reveal() for match in found] == [password.encode()]
    assert found[0].finding.rule == "kubernetes-secret-manifest"


def jwk(seed: int, kind: str = "EC") -> dict[str, str]:
    part = {"EC": "d", "oct": "k", "RSA": "d", "OKP": "d"}[kind]
    return {
        "kty": kind,
        "kid": "x",
        "x": made("{base64url:43}", 9),
        part: made("{base64url:43}", seed),
    }


@pytest.mark.parametrize("kind", ["EC", "RSA", "OKP", "oct"])
def test_a_private_jwk_is_its_private_member(scan: Scan, kind: str) -> None:
    keys = {"keys": [jwk(1, kind), jwk(2, kind)]}
    found = shown(scan(json.dumps(keys).encode(), "jwks.json"))
    assert [match.finding.rule for match in found] == ["jwk-private-key"] * 2
    assert len({match.finding.fingerprint for match in found}) == 2
    values = {match.parts["value"].reveal().decode() for match in found}
    assert values == {key[{"oct": "k"}.get(kind, "d")] for key in keys["keys"]}


def test_a_public_jwk_is_none(scan: Scan) -> None:
    public = {key: value for key, value in jwk(1).items() if key != "d"}
    assert scan(json.dumps({"keys": [public]}).encode(), "jwks.json") == []


def test_a_google_key_file_is_one_finding_at_its_key(scan: Scan) -> None:
    text = made("{gcp_json}")
    (match,) = scan(text.encode(), "key.json")
    assert match.finding.rule == "google-service-account"
    assert text.splitlines()[match.finding.span.line - 1].strip().startswith('"private_key":')
    assert match.parts["value"].reveal() == json.loads(text)["private_key"].strip().encode()


def test_a_google_key_file_in_a_variable_is_the_same_credential(scan: Scan) -> None:
    text = made("{gcp_json}")
    in_variable = f"KEY={json.dumps(json.dumps(json.loads(text)))}\n"
    (one,), (two,) = scan(text.encode(), "key.json"), scan(in_variable.encode(), ".env")
    assert one.finding.fingerprint == two.finding.fingerprint


@pytest.mark.parametrize("within", [False, True])
def test_user_credentials_are_one_finding_at_their_refresh_token(
    scan: Scan, *, within: bool
) -> None:
    adc = json.loads(made("{gcp_adc}"))
    whole = {"type": "impersonated_service_account", "source_credentials": adc} if within else adc
    (match,) = scan(json.dumps(whole, indent=2).encode(), "adc.json")
    assert match.finding.rule == "google-authorized-user"
    assert match.parts["value"].reveal() == adc["refresh_token"].encode()


@pytest.mark.parametrize("order", [("value", "type", "sensitive"), ("sensitive", "type", "value")])
def test_a_sensitive_output_of_terraform_counts_by_its_name(
    scan: Scan, order: tuple[str, ...]
) -> None:
    of = {"value": made("{password}"), "type": ["object", {"a": "string"}], "sensitive": True}
    state = {"outputs": {"db_password": {key: of[key] for key in order}}}
    (match,) = shown(scan(json.dumps(state, indent=2).encode(), "terraform.tfstate"))
    assert match.parts["value"].reveal() == str(of["value"]).encode()


def test_what_a_sensitive_output_holds_is_looked_at_within(scan: Scan) -> None:
    password = made("{password}")
    state = {"db_passwords": {"value": {"one": password}, "type": ["map"], "sensitive": True}}
    (match,) = shown(scan(json.dumps(state).encode(), "x.tfstate"))
    assert match.parts["value"].reveal() == password.encode()


def test_a_generated_password_of_terraform_counts(scan: Scan) -> None:
    password = made("{password}")
    instance = {"attributes": {"bcrypt_hash": "x", "length": 16, "result": password}}
    resource = {"mode": "managed", "type": "random_password", "instances": [instance]}
    found = shown(scan(json.dumps({"resources": [resource]}, indent=2).encode(), "x.tfstate"))
    assert [match.parts["value"].reveal() for match in found] == [password.encode()]


def test_a_map_that_an_interface_calls_sensitive_is_quiet(scan: Scan) -> None:
    shape = {"type": "map", "key": {"shape": "K"}, "value": {"shape": made("{base62:30}")}}
    text = json.dumps({"shapes": {"SecretFields": {**shape, "sensitive": True}}})
    assert shown(scan(text.encode(), "service.json")) == []


def test_outputs_that_are_no_secret_are_quiet(scan: Scan) -> None:
    state = {"db_host": {"value": "db.internal", "type": "string", "sensitive": True}}
    assert shown(scan(json.dumps(state).encode(), "x.tfstate")) == []


def test_a_document_within_a_string_is_called_what_the_string_is(scan: Scan) -> None:
    token = made("{base62:40}")
    text = json.dumps({"ApiToken": json.dumps({"name": "ci", "value": token})})
    (match,) = shown(scan(text.encode(), "settings.json"))
    assert match.parts["value"].reveal() == token.encode()


def test_more_than_can_be_read_is_a_gap(scan: Scan, engine: Engine) -> None:
    text = b"kind: Secret\n" + b"a: b\n" * 190_000 + b"kind: Secret\n" * 3
    (gap,) = engine.examine(Fragment(data=text, provenance=InStream(path="s.yaml"))).gaps
    assert gap.incomplete
    assert shown(scan(text, "s.yaml")) == []
