from __future__ import annotations

from collections.abc import Callable

import pytest

from stanch.scanner.detectors.text.wordlike import reads_like_word
from stanch.scanner.model.finding import Confidence, Match

Scan = Callable[..., list[Match]]


def shown(matches: list[Match]) -> list[Match]:
    return [each for each in matches if each.finding.confidence is not Confidence.LOW]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("PASSWORD: file:/run/secrets/store", "compose.yml"),
        ('password = "env:STORE_PASSWORD"', "app.toml"),
        ('secret = "projects/12/secrets/db/versions/3"', "app.toml"),
        ("password: op://vault/item/field", "app.yml"),
        ('load("secret://pay9x/prod/stripe-7kq/api-key?version=aZ09bY18")', "app.py"),
        ("pass :attr:`Parameter.empty` here", "README.rst"),
        ("password: DEPRECATED: use the file instead", "module.py"),
        ("PASS: suite/case.exp: changing the language", "check.log"),
        ("passwd: elevated-privileges 2755 root/shadow", "overrides"),
        ('GENERATE_PASSWORD = "GeneratePassword"', "enum.py"),
        ('ok ? "PASS" : "FAIL"', "report.pl"),
        ('"PasswordLastUsed": "2016-09-08T21:47:36Z",', "iam.json"),
        ("static const default_seed = 19780503u;", "random.h"),
        ("'pull_secrets': 'list[V1LocalObjectReference]',", "model.py"),
        ("a$b$tokens.NumberToken = module$contents$tokens_NumberToken;", "gen.js"),
        ("'private_key': self._private_key_pkcs8_pem,", "account.py"),
        ("pass => \\&fetch_password,", "client.pl"),
        ('"password": "Contrase\u00f1a"', "labels.json"),
        ('"password": "Adgang"', "i18n/da.json"),
        (' * evaluate expression identified by "state" in the context', "executor.h"),
        ("the --username and --password flags to", "NOTES.txt"),
        ('"password": "L\\u00f6senord"', "labels.json"),
        ('"output_cost_per_token": 3.75e-06,', "prices.json"),
        ("maxPwdAge: -37108517437440", "provision.ldif"),
        ('{scheme:"",username:"",password:"",pathname:i,port:""}', "page.js"),
        ('alert("Failed to renew the token: "+(0,S.f)(e))', "page.js"),
        ("e=>e.keywordToken===102&&e.name.text", "page.js"),
        ("const char *passwd = ssl_config->key_passwd;", "tls.c"),
        ("fi # $pass = conv", "ltmain.sh"),
        ("$Pass1 => undef", "Modify.html"),
        ("$settings.Password = ConvertTo-SecureString -String $given", "set.ps1"),
        ('if module.params["update_password"] == "always":', "user.py"),
        ('"reset_password": "20/m/ip,5/m/key",', "limits.py"),
        ("podman run --volume $(pwd):/src:ro image", "ci.yml"),
        ('PASSWORD_LOGIN_DISABLED:"operation-not-allowed",', "errors.js"),
        ('"secret":"\\u3299\\ufe0f"', "signs.js"),
        ('"password": "md5$seasalt$" + "0a" * 16', "accounts.json"),
        ('password: "*' + "0A" * 20 + '"', "users.yml"),
        ("image: https://ci.internal/graph/badge.svg?token=kq8TzR4w1x", "notes.txt"),
        ('token = "challenge-123-for-client"', "auth.py"),
        ('"privateKeyOption": "v1/objects/encryption-keys"', "paths.json"),
        ("disk.blkid token='TYPE=ext4'", "disk.py"),
        ("passphrase => 'rt-test',", "t/mail/gateway.t"),
        ("X_PasswordQ_not_supported=Schema mapping for password questions", "texts.txt"),
        ('if test "$linkmode,$pass" = "prog,link"; then', "ltmain.sh"),
        ("# Public Key Token: 31bf3856ad364e35", "Makefile"),
        ("ReseedEntropy.4 = " + "ae7e1793db" * 4, "vectors.txt"),
        ("inputs.bgpAuthKey = args?.bgpAuthKey2;", "peer.js"),
        ("CURLOPT_PROXYUSERPWD = ObjectPointBase + 6,", "Easy.cs"),
        ("-DSTORE_PWDBASED:BOOL=yes -DSTORE_QUIC:BOOL=yes", "cmake.yml"),
        ('hashedPassword = "ALyuoraY/cIWD1hjo+K81/pf83qo6Q6T"', "Crypto.cs"),
        ('token="123-456-789-012"', "proxy.py"),
        ("and `n_nationkey` = `nation`.`s_nationkey01`", "join.result"),
        ('   *     masterPassword: "mustbeeightcharacters",', "cluster.d.ts"),
        ('pass: "able been come done"', "labels.js"),
        ("dependencies = [('authtoken', '0003_tokenproxy')]", "0004_alter.py"),
        ("    psk=entry.data[CONF_KEY],", "setup.py"),
        ("    psk = psk->next;", "tls.c"),
        ("opts='--password --recovery-key'", "completion.sh"),
    ],
)
def test_what_only_looks_like_an_assignment_is_not_shown(scan: Scan, text: str, path: str) -> None:
    assert shown(scan(text.encode(), path)) == []


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('conn = "Server=db;User=app;Password={v};Timeout=3"', "Program.cs"),
        ("env = 'USER=app\\nPASS={v}'", "client.py"),
        ("ALTER USER app IDENTIFIED BY '{v}';", "grant.sql"),
        ("ALTER USER app IDENTIFIED WITH mysql_native_password BY '{v}';", "grant.md"),
        ('"password": "{v}"', "app.json"),
        ("password: {v}  # of the pool", "app.yml"),
        ('db_password: str = "{v}"', "settings.py"),
        ('const std::string store::client_secret = "{v}"', "store.cpp"),
        ("https://chat.internal/hook?team=4&password={v}&channel=ops", "notes.py"),
        ('"""csv"" ""password"": ""{v}"""', "export.csv"),
    ],
)
def test_a_weak_password_in_its_place_is_shown(scan: Scan, text: str, path: str) -> None:
    (match,) = shown(scan(text.replace("{v}", "summer2019x").encode(), path))
    assert [part.reveal() for part in match.parts.values()] == [b"summer2019x"]


@pytest.mark.parametrize("value", ["Summer@2019", "P@lm#Tree7", "k@9" + "x@Qw2"])
def test_a_password_with_an_at_sign_is_no_reference(scan: Scan, value: str) -> None:
    (match,) = shown(scan(f'"password": "{value}"'.encode(), "app.json"))
    assert [part.reveal() for part in match.parts.values()] == [value.encode()]


def test_four_groups_of_four_letters_are_an_application_password(scan: Scan) -> None:
    line = b"auth: { user: 'ada', pass: '%s' }" % b" ".join([b"xkqz", b"vwjr", b"qhya", b"tzpl"])
    assert len(shown(scan(line, "mail.js"))) == 1


def test_an_account_of_a_public_host_may_have_its_name_for_a_password(scan: Scan) -> None:
    line = b'connect("mongodb://%s@cluster.store.dev/x")' % b":".join([b"lakeview7"] * 2)
    assert len(shown(scan(line, "app.js"))) == 1
    assert shown(scan(line.replace(b"cluster.store.dev", b"db"), "app.js")) == []


def test_words_in_the_address_of_an_account_are_low_in_tests(scan: Scan) -> None:
    line = b'connect("mysql://ada:%s@db.store.dev/x")' % b"swordfish"
    assert len(shown(scan(line, "app.js"))) == 1
    assert shown(scan(line, "test/app.js")) == []


def test_words_are_low_in_tests_and_shown_elsewhere(scan: Scan) -> None:
    line = b'login(user="ada", password="donuts")'
    assert shown(scan(line, "app/client.py"))
    (match,) = scan(line, "tests/test_client.py")
    assert match.finding.reason == "words in an example"


def test_the_documented_account_of_a_database_is_a_stand_in(scan: Scan) -> None:
    line = b'connect("mysql://%s:%s@db.internal/orders")' % (b"scott", b"tiger")
    assert shown(scan(line, "app.py")) == []


@pytest.mark.parametrize("word", [b"donuts", b"swordfish", b"s3krit"])
def test_words_read_like_words(word: bytes) -> None:
    assert reads_like_word(word)


@pytest.mark.parametrize("word", [b"xkqzvw", b"kqj7wzx", b""])
def test_random_letters_do_not(word: bytes) -> None:
    assert not reads_like_word(word)
