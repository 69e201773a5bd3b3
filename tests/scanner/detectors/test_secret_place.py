"""Names and values that stand apart: fields, elements, cells, directives, calls, commands."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.model.finding import Confidence, Match

Scan = Callable[..., list[Match]]

FIELDS = [
    ("deploy.yaml", "  - name: DB_PASSWORD\n    value: {v}\n"),
    ("deploy.yaml", "  - value: '{v}'\n    name: DB_PASSWORD\n"),
    ("task.json", '{{"name": "DB_PASSWORD", "value": "{v}"}}'),
    ("task.json", '{{\n "value": "{v}",\n "name": "DB_PASSWORD"\n}}'),
    ("vars.json", '{{"key": "admin_password", "type": "text",\n "value": "{v}"}}'),
    ("stack.yml", "  - Key: DB_PASSWORD\n    Value: {v}\n"),
    ("params.json", '{{"ParameterKey": "DBPassword", "ParameterValue": "{v}"}}'),
    ("run.sh", "--parameters ParameterKey=DBPassword,ParameterValue={v}"),
    ("main.tf", '  name  = "DB_PASSWORD"\n  value = "{v}"\n'),
    ("main.tf", 'variable "db_password" {{\n  type = string\n  default = "{v}"\n}}'),
    ("log.json", '{{\\"name\\":\\"DB_PASSWORD\\",\\"value\\":\\"{v}\\"}}'),
]
ELEMENTS = [
    ("beans.xml", '<property name="password" value="{v}"/>'),
    ("web.config", '<add key="SmtpPassword" value="{v}" />'),
    ("props.xml", '<entry key="db.password">{v}</entry>'),
    ("core-site.xml", "<name>fs.password</name>\n  <value>{v}</value>"),
    ("app.plist", "<key>password</key>\n<string>{v}</string>"),
    ("a.xml", "<password><![CDATA[{v}]]></password>"),
    ("unattend.xml", "<AdministratorPassword>\n  <Value>{v}</Value>"),
    ("page.html", '<input type="password" name="pw" value="{v}">'),
]
TEXTS = [
    ("README.md", "\n| password | `{v}` |\n"),
    ("README.md", "| User | Password |\n|---|---|\n| admin | {v} |\n"),
    ("README.md", "| User | Password |\n|---|---|\n| a | - |\n| b | {v} |\n"),
    ("README.md", "**Password:** {v}\n"),
    ("README.md", "The password is `{v}`."),
    ("users.csv", "name,url,username,password\nsite,https://s/,admin,{v}"),
    ("job.py", "    # password: {v}\n"),
    ("job.py", "    # the admin password is {v}\n"),
]
SETTINGS = [
    ("Dockerfile", "ENV DB_PASSWORD {v}"),
    ("Dockerfile", "ARG DB_PASSWORD={v}"),
    ("a.csh", "setenv DB_PASSWORD {v}"),
    ("a.bat", "setx DB_PASSWORD {v}"),
    ("httpd.conf", "SetEnv DB_PASSWORD {v}"),
    ("nginx.conf", "fastcgi_param DB_PASSWORD {v};"),
    ("ldap.conf", "bindpw {v}"),
    ("ks.cfg", "rootpw --plaintext {v}"),
    ("switch.cfg", "username admin password 0 {v}"),
    ("build.gradle", "    storePassword '{v}'"),
    ("wpa.conf", '  psk="{v}"'),
    ("user-data.yml", "chpasswd:\n  list: |\n    root:{v}\n"),
    ("a.sql", "CREATE USER svc IDENTIFIED BY {v};"),
    ("a.sql", "ALTER ROLE svc WITH LOGIN ENCRYPTED PASSWORD '{v}';"),
    ("a.sql", "SET PASSWORD FOR 'svc'@'%' = PASSWORD('{v}');"),
]
CALLS = [
    ("A.java", 'source.setPassword("{v}");'),
    ("A.java", '.username("svc").password("{v}")'),
    ("A.java", 'DriverManager.getConnection("jdbc:x:db", "sa", "{v}");'),
    ("a.py", 'requests.get(url, auth=("svc", "{v}"))'),
    ("a.py", 'os.environ.get("DB_PASSWORD", "{v}")'),
    ("a.js", 'const p = process.env.DB_PASSWORD || "{v}";'),
    ("a.php", 'new mysqli("localhost", "root", "{v}", "app");'),
    ("a.go", 'request.SetBasicAuth("svc", "{v}")'),
    ("a.py", "base64.b64encode(b'svc:{v}')"),
    ("a.js", 'btoa("svc:{v}")'),
    ("a.exp", 'expect "*assword:"\nsend "{v}"\n'),
]
COMMANDS = [
    ("a.sh", "mysql -u root -p{v} app"),
    ("a.sh", "mysqldump -h db -uroot -p'{v}' app > x.sql"),
    ("a.sh", "docker login -u svc -p {v} registry.internal"),
    ("a.sh", "echo {v} | docker login -u svc --password-stdin"),
    ("a.sh", 'echo "root:{v}" | chpasswd'),
    ("a.sh", "ldapsearch -x -D cn=admin -w {v} -b dc=a"),
    ("a.sh", "sqlcmd -S db -U sa -P {v} -Q x"),
    ("a.sh", "smbclient //host/share -U svc%{v}"),
    ("a.sh", "htpasswd -b -c .htpasswd svc {v}"),
    ("a.sh", "keytool -list -keystore a.jks -storepass {v}"),
    ("a.sh", "7z x a.7z -p{v}"),
    ("a.sh", "PGPASSWORD={v} psql -h db"),
    ("a.sh", "docker run -e MYSQL_ROOT_PASSWORD={v} mysql"),
    ("a.sh", "kubectl create secret generic db --from-literal=password={v}"),
    ("a.ps1", "net user admin {v} /add"),
    ("a.ps1", '$p = ConvertTo-SecureString -AsPlainText "{v}" -Force'),
]
PLACES = [*FIELDS, *ELEMENTS, *TEXTS, *SETTINGS, *CALLS, *COMMANDS]


def reported(matches: list[Match]) -> list[bytes]:
    shown = (m for m in matches if m.finding.confidence is not Confidence.LOW)
    return [m.parts["value"].reveal() for m in shown]


@pytest.mark.parametrize(("path", "text"), PLACES)
@pytest.mark.parametrize("value", ["hunter2x7", "Zk8_vQx2mPw9"])
def test_a_weak_password_counts_in_every_place(
    scan: Scan, path: str, text: str, value: str
) -> None:
    assert reported(scan(text.format(v=value).encode(), path)) == [value.encode()]


@pytest.mark.parametrize(("path", "text"), [*FIELDS, *ELEMENTS, *CALLS, *COMMANDS])
@pytest.mark.parametrize("value", ["changeme", "${DB_PASSWORD}"])
def test_a_stand_in_or_a_variable_counts_in_no_place(
    scan: Scan, path: str, text: str, value: str
) -> None:
    assert reported(scan(text.format(v=value).encode(), path)) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.yaml", "- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef: {name: db, key: x}\n"),
        ("a.yaml", "- name: DB_PASSWORD\n- name: HOST\n  value: VALUE\n"),
        ("a.yaml", "- value: VALUE\n- name: DB_PASSWORD\n"),
        ("a.tf", 'variable "db_password" {}\nvariable "host" {\n  default = "VALUE"\n}'),
        ("a.html", '<input name="authenticity_token" type="hidden" value="Vbmuc30dLLFdm7POIe3x">'),
        ("a.html", '<label for="password" name="x">Password</label>'),
        ("a.md", "\n| password | string | what the user types |\n"),
        ("a.md", "| Parameter | Meaning |\n|---|---|\n| VALUE | x |\n"),
        ("a.md", "the password is required, the password is at least 8 characters long"),
        ("a.py", "@sensitive_post_parameters('password', 'credit_card')"),
        ("a.java", 'form.getPassword("VALUE")'),
        ("a.sh", "mysql -u root -p app"),
        ("a.sh", "net user admin /active:yes"),
        ("a.txt", "the lines to be used are identified by marker_start1"),
    ],
)
def test_what_only_looks_like_a_place_holds_nothing(scan: Scan, path: str, text: str) -> None:
    assert reported(scan(text.replace("VALUE", "hunter2x7").encode(), path)) == []


def test_a_password_is_one_credential_in_all_of_its_places(scan: Scan) -> None:
    prints = {
        match.finding.fingerprint
        for path, text in PLACES
        for match in scan(text.format(v="Zk8_vQx2mPw9").encode(), path)
        if match.finding.confidence is not Confidence.LOW
    }
    assert len(prints) == 1


def test_a_hash_counts_in_a_password_file(scan: Scan) -> None:
    line = b"admin:" + generate("$apr1${base62:8}${base62:22}", 1)
    found = {path: scan(line, path)[0].finding for path in (".htpasswd", "hash_test.py")}
    assert found[".htpasswd"].confidence is Confidence.MEDIUM
    assert found[".htpasswd"].reason == "password file"
    assert found["hash_test.py"].confidence is Confidence.LOW
