from __future__ import annotations

from collections.abc import Callable

import pytest

from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.model.finding import Confidence, Match

Scan = Callable[..., list[Match]]


def reported(matches: list[Match]) -> list[bytes]:
    shown = (m for m in matches if m.finding.confidence is not Confidence.LOW)
    return [m.parts["value"].reveal() for m in shown]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("DB_PASSWORD={v}", ".env"),
        ("export MYSQL_ROOT_PASSWORD='{v}'", "run.sh"),
        ('  password: "{v}"  # of the pool', "config.yml"),
        ("spring.datasource.password={v}", "application.properties"),
        ('{{"password": "{v}", "user": "svc"}}', "settings.json"),
        ("  -e POSTGRES_PASSWORD={v} \\", "README.md"),
        ("define('DB_PASSWORD', '{v}');", "wp-config.php"),
        ("<password>{v}</password>", "settings.xml"),
        ('cfg["password"] = "{v}"', "setup.py"),
        ("'password' => '{v}',", "database.php"),
        ('body = "{{\\"password\\": \\"{v}\\"}}"', "client.py"),
        ("USER=svc\\nPASS={v}\\n", "notes.txt"),
    ],
)
@pytest.mark.parametrize("value", ["hunter2", "tr0ub4dor", "Zk8!vQx2mPw9"])
def test_a_password_counts_by_its_place(scan: Scan, text: str, path: str, value: str) -> None:
    assert reported(scan(text.format(v=value).encode(), path)) == [value.encode()]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("password = os.environ['DB_PASSWORD']", "a.py"),
        ('password = getenv("PASSWORD")', "a.php"),
        ("password: ${DB_PASSWORD}", "a.yml"),
        ('password: "{{ vault_db_password }}"', "a.yml"),
        ("password: !vault secret", "a.yml"),
        ("password: string;", "a.ts"),
        ("password = newPassword", "a.ts"),
        ('password_file: "/run/secrets/db"', "a.yml"),
        ('secret_name = "prod-db-9f2c81"', "a.tf"),
        ('"output_token": "NextToken"', "a.json"),
        ('outcome = ("passed", "failed", "skipped")', "a.py"),
        ("bypass: packoffset", "a.yml"),
        ('"public_key": "' + "k9" * 20 + '"', "a.json"),
        ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-a1b2c3", "a.md"),
        ('<label for="password">Password</label>', "a.html"),
        ("'Test2::Event::Pass' => 'cpan-thing',", "a.pm"),
        ('"password": "1.302.7"', "a.json"),
        ("derive('secret', 'salt' + x, 1000)", "a.js"),
        ('"nextForwardToken": "f/319612091223582856022617"', "a.json"),
        ('f"token={ident:>30}"', "a.py"),
        ("host_key: ssh-ed25519", "a.yml"),
        ("reset_password: allauth.account.forms.ResetForm", "a.rst"),
        ('"integrity_token": "sha-' + "0a" * 32 + '"', "package-lock.json"),
        ("def hasLogsToBeDeleted: Boolean = !logs.isEmpty", "a.scala"),
        ("def passwordMissing: Boolean = !password.isEmpty", "a.scala"),
        ("type CRYPT_PASSWORD_CREDENTIALS = uintptr", "a.go"),
        ('"PW": `^96940$`,', "a.go"),
        ('"R\\x06secret:9\\x9a\\x1e4\\n" +', "a.pb.go"),
        ("an IAM user, instead of a role, identified by excluding the field", "a.json"),
        ('PasswordStateDeleted PasswordStateEnum = "DELETED"', "a.go"),
        ("secret = google_secret_version.secret-basic-2.secret", "a.go"),
        ("googleCredentialSecret: cattle-global-data:cc-swv64", "a.yaml"),
        ('AccessKey: os.Getenv("AWS_S3_ACCESS_KEY"),', "a.md"),
        ('ImportStep("directory.0.password", "directory.0.server_root")', "a.go"),
        ("name: IBM-SYSTEM-TRAP-MIB::ibmSystempTrapUEExtEnvironmentLossOfFunct10n", "a.yaml"),
        ("-     * distance */\n", "a.patch"),
        ("Kafka.getPropsFromArgs2(Array(file))", "a.scala"),
        ("logger.kafka.$Log4JLoggerAb3x9", "a.scala"),
    ],
)
def test_code_references_and_other_things_are_no_secrets(scan: Scan, text: str, path: str) -> None:
    assert scan(text.encode(), path) == []


@pytest.mark.parametrize(
    "value", ["changeme", "password", "your_password_here", "xxxxxxxx", "test", "YYYY"]
)
def test_a_word_that_stands_for_a_password_is_only_low(scan: Scan, value: str) -> None:
    matches = scan(f'password = "{value}"'.encode(), "a.py")
    assert [(m.finding.confidence, m.finding.reason) for m in matches] == [
        (Confidence.LOW, "placeholder")
    ]


def test_a_token_must_look_issued(scan: Scan) -> None:
    issued = generate("{base62:32}", 5)
    assert reported(scan(b'api_key = "' + issued + b'"', "a.py")) == [issued]
    assert reported(scan(b'api_key = "sort-by-name"', "a.py")) == []


def test_a_number_is_an_id_not_a_token(scan: Scan) -> None:
    assert reported(scan(b'bot_token = "' + generate("{digits:18}", 3) + b'"', "a.py")) == []


@pytest.mark.parametrize(
    "text",
    [
        "sshpass -p {v} ssh deploy@host",
        "openssl rsa -in key.pem -passin pass:{v}",
        'props.setProperty("db.password", "{v}");',
        "curl -u deploy:{v} https://ci.internal/job",
        "CREATE USER app IDENTIFIED BY '{v}';",
        "mysqladmin --password {v} status",
    ],
)
def test_a_password_in_an_argument_counts_by_its_place(scan: Scan, text: str) -> None:
    assert reported(scan(text.format(v="hunter2x").encode(), "notes.txt")) == [b"hunter2x"]


def test_a_quoted_value_ends_at_its_own_quote(scan: Scan) -> None:
    value = generate("{password}", 6)
    text = b'{\\"password\\": \\"%s\\", \\"user\\": \\"svc\\"}' % value
    assert reported(scan(text, "a.log")) == [value]


def test_a_generic_value_shows_only_its_length(scan: Scan) -> None:
    (match,) = scan(b"DB_PASSWORD=" + generate("{password}", 7))
    assert match.finding.preview == "<14 bytes>"
