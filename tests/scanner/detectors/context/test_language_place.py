"""How languages, their libraries, servers and commands write a password down."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stanch.scanner.model.finding import Confidence, Match

Scan = Callable[..., list[Match]]

LANGUAGES = [
    ("a.ps1", '$env:DB_PASSWORD = "{v}"'),
    ("config.h", '#define WIFI_PASSWORD "{v}"'),
    ("main.c", 'const char password[] = "{v}";'),
    ("wifi.ino", 'char wifi_pass[64] PROGMEM = "{v}";'),
    ("main.go", 'password := []byte("{v}")'),
    ("main.go", 'db, err := sql.Open("mysql", "root:{v}@tcp(db:3306)/app")'),
    ("load.R", 'db_password <- "{v}"'),
    ("Form.vb", 'Dim dbPassword As String = "{v}"'),
    ("app.config.erl", '[{user, "svc"}, {password, "{v}"}].'),
    ("init.el", '(setq smtp-password "{v}")'),
    ("config.edn", '{:db-password "{v}"}'),
    ("App.m", 'NSString *password = @"{v}";'),
    ("app.rb", ":password => '{v}',"),
    ("main.rs", 'let password = String::from("{v}");'),
    ("app.py", 'password = SecretStr("{v}")'),
]
LOGINS = [
    ("a.php", "$a = mysqli_connect('db', 'root', '{v}', 'shop');"),
    ("a.php", "$c = new PDO('mysql:host=db;dbname=shop', 'root', '{v}');"),
    ("a.py", "conn = pymysql.connect('db', 'root', '{v}', 'shop')"),
    ("a.pl", "my $dbh = DBI->connect('DBI:mysql:shop', 'root', '{v}');"),
    ("a.php", "curl_setopt($ch, CURLOPT_USERPWD, 'ci:{v}');"),
    ("a.go", 'auth := smtp.PlainAuth("", "a@corp.internal", "{v}", "smtp.corp.internal")'),
]
DEFAULTS = [
    ("settings.py", "DB_PASSWORD = config('DB_PASSWORD', default='{v}')"),
    ("database.rb", "pw = ENV.fetch('DB_PASSWORD') { '{v}' }"),
    ("main.rs", 'let p = env::var("DB_PASSWORD").unwrap_or("{v}".to_string());'),
    ("main.rs", 'let p = env::var("DB_PASSWORD").unwrap_or_else(|_| "{v}".into());'),
    ("app.yml.j2", "password: \"{{ db_password | default('{v}') }}\""),
    ("Conf.java", 'Optional.ofNullable(dbPassword).orElse("{v}")'),
]
SERVERS = [
    ("docker-compose.yml", "    command: redis-server --requirepass {v}"),
    ("Dockerfile", 'CMD ["redis-server", "--requirepass", "{v}"]'),
    ("mount.bat", "net use Z: \\\\srv\\share {v} /user:bob"),
    ("preseed.cfg", "d-i passwd/root-password password {v}"),
    ("users.acl", "user alice on >{v} ~cached:* +get"),
    ("sasl_passwd", "[smtp.corp.internal]:587 svc@corp.internal:{v}"),
    ("chap-secrets", 'svc * "{v}" *'),
    ("msmtprc", "account x\npassword {v}"),
    (
        "0001-db.patch",
        "--- a/c.yml\n+++ b/c.yml\n@@ -1 +1 @@\n-db_password: old\n+db_password: {v}",
    ),
    (".bash_history", "wget --user=ci --password={v} https://x.corp.internal/a"),
]
NAMES = [
    ("config.yml", name + ": {v}")
    for name in (
        *("db_senha", "contraseña", "contrasena", "mot_de_passe", "kennwort", "wachtwoord"),
        *("hasło", "пароль", "密码", "db_pw", "pswd", "adminPw"),
    )
]


@pytest.mark.parametrize(("path", "text"), [*LANGUAGES, *LOGINS, *DEFAULTS, *SERVERS, *NAMES])
def test_a_password_counts_in_each(scan: Scan, path: str, text: str) -> None:
    value = b"Kq7vXzm2WtR9"
    data = text.replace("{v}", value.decode()).encode() + b"\n"
    shown = [each for each in scan(data, path) if each.finding.confidence is not Confidence.LOW]
    assert {part.reveal() for each in shown for part in each.parts.values()} == {value}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("list_test.go", 'splitToken[2] = "1kxftv4ofnc6mt30lmgipg6ngf9luhwqopfk1tz6bdmnkubg0e"'),
        ("notes.md", "password reset\npassword manager"),
        ("site.webmanifest.js", 'pwa_icon = "icon-192x192-maskable-7"'),
        ("server.conf", "password required\nsecret ${TSIG_SECRET}"),
        ("config.h", '#define PASSWORD_FIELD "user_password_2"'),
        ("a.php", "mysqli_connect($host, $user, $password);"),
    ],
)
def test_what_only_resembles_one_is_quiet(scan: Scan, path: str, text: str) -> None:
    found = scan(text.encode() + b"\n", path)
    assert [each for each in found if each.finding.confidence is not Confidence.LOW] == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("appsettings.json", '{\n  "Jwt": {\n    "Issuer": "x",\n    "Key": "{v}"\n  }\n}'),
        ("app.toml", '[jwt]\nkey = "{v}"'),
        ("app.ini", "[encryption]\ncipher = aes\nkey = {v}"),
    ],
)
def test_a_section_says_whose_key_it_is(scan: Scan, path: str, text: str) -> None:
    value = "Kq7vXzm2WtR9aLpB3nD8fGh5JyUe4Cs6"
    found = scan(text.replace("{v}", value).encode() + b"\n", path)
    assert [each.parts["value"].reveal() for each in found] == [value.encode()]
