"""Every printable sign belongs to a password, wherever it stands and however it is quoted."""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable

import pytest

from stanch.scanner.model.finding import Confidence, Match

Scan = Callable[..., list[Match]]
Escape = Callable[[str], str]

WORDS = string.ascii_letters + string.digits
SIGNS = string.punctuation
QUOTES = "\"'`\\"


def as_is(value: str) -> str:
    return value


def escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def in_json(value: str) -> str:
    return json.dumps(value)[1:-1]


def doubled(value: str) -> str:
    return value.replace("'", "''")


def in_shell(value: str) -> str:
    return value.replace("'", "'\\''")


def in_xml(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def in_attribute(value: str) -> str:
    return in_xml(value).replace('"', "&quot;")


#: Path, text, how the language escapes the value, and signs that cannot begin one there.
FORMS: list[tuple[str, str, Escape, str]] = [
    (".env", "DB_PASSWORD=@V@", as_is, "\"'`"),
    (".env", 'DB_PASSWORD="@V@"', escaped, ""),
    ("app.properties", "spring.datasource.password=@V@", as_is, "\"'`"),
    ("app.properties", "db.password = @V@", as_is, "\"'`"),
    ("app.ini", "[db]\npassword = @V@", as_is, "\"'`"),
    ("credentials", "password = @V@", as_is, "\"'`"),
    ("app.conf", "password=@V@", as_is, "\"'`"),
    ("app.yml", "db_password: @V@", as_is, "&*!|>@%`{[\"'#,-?:"),
    ("app.yml", "password: '@V@'", doubled, "'"),
    ("app.yml", 'db:\n  password: "@V@"  # of the pool', escaped, ""),
    ("compose.yml", "      - DB_PASSWORD=@V@", as_is, "\"'`"),
    ("app.json", '{"db_password": "@V@", "pool": 1}', in_json, ""),
    ("app.toml", 'password = "@V@"', escaped, ""),
    ("main.tf", '  password = "@V@"', escaped, ""),
    ("settings.py", 'password = "@V@"', escaped, ""),
    ("Store.java", 'String dbPassword = "@V@";', escaped, ""),
    ("Store.cs", 'var password = "@V@";', escaped, ""),
    ("main.go", 'Password: "@V@",', escaped, ""),
    ("run.sh", "export DB_PASSWORD='@V@'", in_shell, "'"),
    ("set.ps1", "$password = '@V@'", doubled, "'"),
    ("settings.xml", "<server><password>@V@</password></server>", in_xml, ""),
    ("web.config", '<add user="svc" password="@V@" />', in_attribute, ""),
    ("Dockerfile", "ENV DB_PASSWORD=@V@", as_is, "\"'`"),
    ("notes.txt", "password: @V@", as_is, "\"'`"),
]


def whole(scan: Scan, path: str, text: str, written: str) -> bool:
    """Whether the value is found from its first character to its last."""
    data = text.replace("@V@", written).encode() + b"\n"
    begin = text.rpartition("\n")[2].index("@V@") + 1
    return any(
        (match.finding.span.column, match.finding.span.end_column) == (begin, begin + len(written))
        for match in scan(data, path)
        if match.finding.confidence is not Confidence.LOW
    )


@pytest.mark.parametrize(("path", "text", "escape", "never_first"), FORMS)
def test_each_sign_is_part_of_a_password_in_each_place(
    scan: Scan, path: str, text: str, escape: Escape, never_first: str
) -> None:
    wrong = [
        value
        for sign in SIGNS
        for value in (f"{sign}Kq7vXzm2WtR9", f"Kq7vX{sign}zm2WtR9", f"Kq7vXzm2WtR9{sign}")
        if not (value[0] == sign and sign in never_first)
        and not whole(scan, path, text, escape(value))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("alphabet", "share"),
    [(WORDS + "!@#$%^&*", 0.01), (WORDS + SIGNS.translate({ord(q): None for q in QUOTES}), 0.01)],
)
def test_drawn_passwords_are_found_whole(scan: Scan, alphabet: str, share: float) -> None:
    lots = random.Random(alphabet)  # noqa: S311 - repeatable
    tried, wrong = 0, []
    for path, text, escape, never_first in FORMS:
        for _ in range(25):
            value = "".join(lots.choice(alphabet) for _ in range(lots.choice((12, 16, 20))))
            if value[0] in never_first or not any(map(str.isdigit, value)):
                continue
            tried += 1
            if not whole(scan, path, text, escape(value)):
                wrong.append((path, text))
    assert len(wrong) <= share * tried


@pytest.mark.parametrize(("path", "text", "escape", "never_first"), FORMS)
def test_base64_is_found_whole(
    scan: Scan, path: str, text: str, escape: Escape, never_first: str
) -> None:
    del never_first
    lots = random.Random(path + text)  # noqa: S311 - repeatable
    values = [base64.b64encode(lots.randbytes(lots.choice((24, 32)))).decode() for _ in range(20)]
    assert [each for each in values if not whole(scan, path, text, escape(each))] == []


@pytest.mark.parametrize(
    "value",
    [
        *("${DB_PASSWORD}", "${DB_PASSWORD:-}", "$DB_PASSWORD", "$password", "{{ db_password }}"),
        *("%DB_PASSWORD%", "%(password)s", "<%= password %>", "#{password}", "<PASSWORD>"),
        *("@password@", "[password]", "{password}", "$(pass show db)", "/run/secrets/password"),
        *("vault:secret/data/app#password", "!Ref Password", "op://vault/item/field"),
    ],
)
@pytest.mark.parametrize("path", ["app.yml", "app.env", "app.py"])
def test_a_closed_form_with_a_name_in_it_is_filled_in_later(
    scan: Scan, path: str, value: str
) -> None:
    found = scan(f'db_password = "{value}"\n'.encode(), path)
    assert [each for each in found if each.finding.confidence is not Confidence.LOW] == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("app.yml", "db: {user: svc, password: @V@, host: db}"),
        ("app.yml", 'url: "Server=db;Password=@V@;Encrypt=true"'),
        ("app.env", "DB_URL=Server=db;Password=@V@;Encrypt=true"),
        ("app.txt", "the login (user: svc, password: @V@) is old"),
        ("app.ini", "redis: addr=:6379,password=@V@,db=0"),
        ("nginx.conf", "fastcgi_param DB_PASSWORD @V@;"),
    ],
)
def test_a_bare_value_ends_where_the_next_setting_begins(scan: Scan, path: str, text: str) -> None:
    assert whole(scan, path, text, "Kq7vXzm2WtR9")
