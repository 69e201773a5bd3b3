from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stanch.responder.domain.error import UsageError
from stanch.responder.lifecycle.inventory.discovery.code import referred, variables
from stanch.responder.lifecycle.inventory.discovery.form import FORMS, mentions
from stanch.responder.lifecycle.inventory.discovery.item import Item, Unseen

NAMED, VAULT_URI = "shop/prod/db/password", "SecretUri=https://v/s/n"
ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/prod/db/password-aB3dE9"
SM, SSM, BAO, AZURE = "secrets-manager", "parameter-store", "openbao", "azure-key-vault"
KEY = "shop/prod/stripe/api-key"
SAID = [
    (f"k = 'secret://{KEY}?version=previous'", "secret", "stanch", KEY),
    ("key: op://vault/item/section/field", "op", "1password", "vault/item/section/field"),
    (f"a: ref+awssecrets://{KEY}?region=x#/field+", "vals", SM, KEY),
    ("a: ref+awsssm:///shop/prod/x", "vals", SSM, "shop/prod/x"),
    ("a: ref+vault://secret/data/x#/y", "vals", BAO, "secret/data/x"),
    ("a: ref+openbao://secret/data/x#/y", "vals", BAO, "secret/data/x"),
    ("a: secretref+gcpsecrets://project/name", "vals", "google-secret-manager", "project/name"),
    (f"'{{{{resolve:secretsmanager:{KEY}:SecretString:k::}}}}'", "cloudformation", SM, KEY),
    (f"'{{{{resolve:secretsmanager:{ARN}:SecretString}}}}'", "cloudformation", SM, NAMED),
    ("{{resolve:ssm-secure:/shop/prod/x:3}}", "cloudformation-ssm", SSM, "shop/prod/x"),
    (f'"valueFrom": "{ARN}:field::"', "arn", SM, NAMED),
    ("arn:aws:ssm:eu-west-1:123456789012:parameter/shop/x", "arn-ssm", SSM, "shop/x"),
    ("x = sm://project/name", "sm", "google-secret-manager", "project/name"),
    ("x = berglas://bucket/name", "berglas", "berglas", "bucket/name"),
    ("x = akv://vault/name", "akv", AZURE, "vault/name"),
    ("@Microsoft.KeyVault(SecretUri=https://v/s/n/)", "app-service", AZURE, VAULT_URI),
    ("PASSWORD: vault:secret/data/shop/db#password", "bank-vaults", BAO, "secret/data/shop/db"),
    ("run: ${{ secrets.DEPLOY_KEY || 'x' }}", "github-actions", "github-actions", "DEPLOY_KEY"),
    ("x = bw://item/field", "bw", "bitwarden", "item/field"),
    ("x = doppler://project/config/NAME", "doppler", "doppler", "project/config/NAME"),
    ('token = "keyring:service/user"', "keyring", "keyring", "service/user"),
    ("token: env:DEPLOY_TOKEN\n", "env", "process-environment", "DEPLOY_TOKEN"),
    ("key=file:/run/secrets/key", "file", "file", "run/secrets/key"),
]


@pytest.mark.parametrize(("text", "form", "store", "name"), SAID)
def test_each_form_is_found_with_its_store_and_name(
    text: str, form: str, store: str, name: str
) -> None:
    found = [(each.form, each.store, each.name) for each in mentions(text.encode())]
    assert (form, store, name) in found


def test_every_form_has_an_example_here() -> None:
    assert {each.id for each in FORMS} == {form for _, form, _, _ in SAID}


@pytest.mark.parametrize(
    "text",
    [
        "see the env: section", "FooBar.env:PATH", "a profile:/x", "https://example.com/op/vault",
        "environment:production", "keyring: a Python package", "shop://a/b", "{{ resolve }}",
    ],
)  # fmt: skip
def test_prose_and_other_addresses_are_no_references(text: str) -> None:
    assert list(mentions(text.encode())) == []


def test_a_hostile_text_takes_no_longer_than_others() -> None:
    start = datetime.now(UTC)
    for piece in (
        b"secret://",
        b"ref+",
        b"arn:aws",
        b"{{resolve:",
        b"${{ ",
        b'"env:A',
        b"vault:a/",
    ):
        assert list(mentions(piece * 20_000)) is not None
    assert datetime.now(UTC) - start < timedelta(seconds=5)


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_references_are_found_with_their_place_and_lost_ones_are_problems(tmp_path: Path) -> None:
    write(tmp_path, "app/main.py", '\nget("secret://shop/prod/stripe/api-key")\n')
    write(tmp_path, "app/other.py", 'get("secret://shop/prod/stripe/gone")\n')
    write(tmp_path, ".gitignore", "dist\n")
    write(tmp_path, "dist/x.py", 'get("secret://shop/prod/stripe/gone")\n')
    known = {"secrets-manager": frozenset({"shop/prod/stripe/api-key"})}
    found = [each for each in referred([tmp_path], known) if isinstance(each, Item)]
    assert [(each.place, bool(each.problem)) for each in sorted(found)] == [
        (f"{tmp_path}/app/main.py:2", False),
        (f"{tmp_path}/app/other.py:1", True),
    ]
    # Where a store was not listed whole, nobody can say what it lacks.
    assert not any(each.problem for each in referred([tmp_path], {}) if isinstance(each, Item))


def test_a_store_that_was_not_listed_is_not_said_to_lack_anything(tmp_path: Path) -> None:
    write(tmp_path, "a.tf", 'x = "ref+awsssm://shop/x"\ny = "op://vault/item/field"\n')
    known = {"secrets-manager": frozenset({"shop/prod/stripe/api-key"})}
    assert not any(each.problem for each in referred([tmp_path], known) if isinstance(each, Item))


def test_variables_that_hold_values_are_found_also_where_git_ignores_them(tmp_path: Path) -> None:
    write(tmp_path, ".gitignore", ".env*\n")
    value = "q" * 20
    write(
        tmp_path,
        "svc/.env.prod",
        f"DEBUG=1\nDB_PASSWORD={value}\nexport API_KEY='{value}'\nTOKEN=\n"
        "STRIPE_SECRET=secret://shop/prod/stripe/api-key\nAUTH_TOKEN=op://v/i/f\n",
    )
    write(tmp_path, ".env.example", "DB_PASSWORD=fill-in\n")
    write(tmp_path, "node_modules/.env", f"DB_PASSWORD={value}\n")
    found = [each for each in variables([tmp_path]) if isinstance(each, Item)]
    assert [(each.name, each.place.rpartition("/")[2]) for each in found] == [
        ("DB_PASSWORD", ".env.prod:2"),
        ("API_KEY", ".env.prod:3"),
    ]
    assert value not in str(found)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"x" * ((1 << 20) + 1))
    assert [type(each) for each in variables([tmp_path])] == [Unseen]
    with pytest.raises(UsageError, match="there is no"):
        list(referred([tmp_path / "nowhere"], {}))
