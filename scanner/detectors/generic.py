"""Passwords and keys without a shape of their own: judged by where and how they are written.

A password counts by its place, not by its entropy: people choose weak ones. A token or key was made
by a machine, so it must look random. What is code, a reference, a template or a word that says "a
password goes here" is no secret.
"""

from __future__ import annotations

import re

from scanner.detectors.assignment import Assignment, read
from scanner.detectors.candidate import NOT_THIS, Candidate, Opinion
from scanner.detectors.placeholder import entropy, has_digit, is_placeholder
from scanner.detectors.word import is_stand_in, pieces
from scanner.model.finding import Confidence

_PASSWORD = re.compile(
    rb"(?i)passw(?:or)?d|passphrase|passcode|passwort|pwd|(?:^|[_-]|db|sql|user|admin|root|smtp|mail|"
    rb"ftp|ldap|http|proxy|redis|my)pass(?:[_-]?\d{0,2})?$"
)
_BARE_PASS = re.compile(rb"(?i)pass(?!w(?:or)?d|phrase|code|wort)")
#: What a name ends with when it means something about a secret, not the secret.
_OTHER_THING = tuple(
    b"""
    file path dir folder url uri link href host port addr address name names field label id ids
    length len size type kind count policy reset min max regex regexp pattern hint prompt error
    errors message msg title text placeholder header format ttl timeout expiry expires expiration
    expire expired expires_in expiresin lifetime endpoint alg algorithm algo encoder encoding
    encryption version class column provider location index enabled required validator strength
    manager store source ref selector mount hash digest sha sha1 sha2 sha256 sha512 md5 checksum
    fingerprint thumbprint salt nonce arn env var state status scope scopes usage rotation reuse
    history prefix suffix example param input form view page button color verifier grant_type
    method mode level limit retries tokens date time at char chars characters event map list set
    cache challenge wrong invalid fake dummy
    """.split()
)
_NOT_SECRET_KEY = re.compile(
    rb"(?i)(?:^|[_.-])(?:public|pub|primary|foreign|sort|partition|cache|row|dict|hash|unique|group|"
    rb"config|storage|i18n|translation|shortcut|hot|object|field|map|json|lookup|site|index|csrf|xsrf|"
    rb"next\w*|page|continuation|cancellation|ident|lex)[_-]?(?:key|token|password|secret)?[_-]?$|"
    rb"publickey|public_key|pubkey"
)
_CODE = re.compile(
    rb"\$\{|\{\{|\$\(|^\$[A-Za-z_]|<%|%\(|^%[A-Za-z_]+%$|^%[sdv@]|#\{|^@|^\{|^\[|^<|^!(?:Ref|Sub|GetAtt|Join|Import|vault|secret|env)|^&|process\.env|"
    rb"\{[A-Za-z_][\w.]*(?::[^{}]*)?(?:\}|$)|\[[A-Za-z0-9]-[A-Za-z0-9]|\(\?|\\[bdws][+*({\[]|\[-?\d\]|os\.environ|getenv|ENV\[|ENC\(|vault:|ssm:|secretsmanager|^arn:|\$\$|^\(|=>|->|\(\)|^\.\.?/"
)
_LITERAL = re.compile(
    rb"(?i)(?:true|false|null|none|nil|undefined|nan|string|str|bytes|number|int|integer|float|bool|"
    rb"boolean|object|any|void|char|varchar|text|required|optional|array|list|dict|function|self|this|"
    rb"ssh-\w+|ecdsa-\S+|(?:hmac-?)?sha-?\d+|aes-?\d+\S*|scram-\S+|new|return|await|async|lambda|type|var|let|const|static|final|import|on|off|yes|no)\b.{0,2}"
)
_REFERENCE = re.compile(
    rb"(?i)(?:https?|file|ftp|ssh|git|s3|gs)://|^/[\w.-]+/|^~/|^[A-Z]:\\|^\.{1,2}/|@\w"
)
_CHOSEN = re.compile(rb"(?i)secret$|secret[_-]?(?:key|token)$|(?:oauth|api|access)[_-]?key$")
_IN_CALL = re.compile(rb"[\"'], ?[\"']$")
_FRONT = 8
_UUID = re.compile(rb"(?i)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_VERSION = re.compile(rb"v?\d+(?:\.\d+)+")
_IDENTIFIER = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*(?:(?:\.|::?|->)[A-Za-z_]\w*)*")
_CONSTANT = re.compile(rb"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_PASSWORD_HASH = re.compile(
    rb"\$(?:2[abxy]?|[156]|argon2\w*|pbkdf2[\w-]*|scrypt)\$|\{[A-Z0-9]+\}|pbkdf2_"
)
_FILE_NAME = re.compile(
    rb"(?i)[\w./-]+\.(?:key|pem|crt|txt|json|ya?ml|html?|js|ts|py|go|php|xml|conf|rb)"
)
_SETTINGS = re.compile(
    r"(?i)\.(?:env|ya?ml|properties|ini|cfg|conf|cnf|toml|tfvars|sh|bash|md|rst|txt|adoc|sql|xml|"
    r"csv|log|npmrc|netrc|pgpass|envrc|plist|service|ps1|bat|dist|sample|example|template|tpl|html)$"
    r"|(?:^|/)(?:\.env[\w.-]*|[\w.-]*Dockerfile[\w.-]*|Jenkinsfile|Vagrantfile|Makefile|\.\w+rc)$"
)
_LOCK = re.compile(
    r"(?i)(?:^|/)(?:package-lock\.json|yarn\.lock|pnpm-lock\.yaml|go\.sum|[\w.-]+\.lock|composer\.lock|"
    r"npm-shrinkwrap\.json|[\w.-]+\.min\.(?:js|css)|[\w.-]+\.(?:svg|map|css|po|pot|strings))$"
)
_SHORTEST_PASSWORD = 4
_SHORTEST_CHOSEN = 10
_SHORTEST_TOKEN = 8
_LONG_TOKEN = 16
_LONG = 24
# Found by measuring labelled lines; ratios are of a value's bytes, entropies bits a byte.
_WORD = 4
_VARIED = 2.8
_VARIED_LETTERS = 3.2
_MOSTLY_WORDS = 0.75
_RATHER_WORDS = 0.6


def check_assignment(candidate: Candidate) -> Opinion:
    """Medium where a real secret is likely, low where a person should look, absent otherwise."""
    found = read(candidate)
    if found is None or _LOCK.search(candidate.path):
        return NOT_THIS
    candidate.end = found.end
    value = candidate.value
    if not _names_secret(found) or _is_reference(found, value):
        return NOT_THIS
    if found.operator == b">":
        if not (found.lead[-1:] == b"<" and found.cut == b"<"):
            return NOT_THIS  # only `<password>…</password>` is an assignment
    elif not found.quote and _is_code(found, value, candidate.path):
        return NOT_THIS
    return _weighed(found, value)


def _weighed(found: Assignment, value: bytes) -> Opinion:
    """How likely a literal value in a secret's place is the secret."""
    if is_stand_in(value, found.name) or is_placeholder(value) or _PASSWORD_HASH.match(value):
        return Opinion(confidence=Confidence.LOW, reason="placeholder")
    if _UUID.fullmatch(value):
        return Opinion(confidence=Confidence.LOW, reason="uuid")
    if _PASSWORD.search(found.last_word) or _is_chosen(found, value):
        return _opinion(likely=len(value) >= _SHORTEST_PASSWORD, reason="keyword+place")
    issued = _looks_issued(value)
    if not issued and not has_digit(value) and _IDENTIFIER.fullmatch(value):
        return NOT_THIS  # `"output_token": "NextToken"` names a field
    return _opinion(likely=issued, reason="keyword+entropy")


def check_argument(candidate: Candidate) -> Opinion:
    """A password as a program's argument: by its place, unless it is a variable or a stand-in."""
    value = candidate.value
    if _IN_CALL.search(candidate.before(_FRONT)) and candidate.after(2)[1:] != b")":
        return NOT_THIS  # derive("secret", "salt", 1000): not a name and its value
    if _CODE.search(value) or _REFERENCE.search(value) or len(value) < _SHORTEST_PASSWORD:
        return NOT_THIS
    if is_stand_in(value) or is_placeholder(value):
        return Opinion(confidence=Confidence.LOW, reason="placeholder")
    return Opinion(confidence=Confidence.MEDIUM, reason="keyword+place")


def _opinion(*, likely: bool, reason: str) -> Opinion:
    return Opinion(confidence=Confidence.MEDIUM if likely else Confidence.LOW, reason=reason)


def _names_secret(found: Assignment) -> bool:
    """Whether the name means the secret itself, not its file, length, label or public half."""
    name = found.last_word.strip(b"_-")
    if name.endswith(_OTHER_THING) or _NOT_SECRET_KEY.search(name):
        return False
    if _BARE_PASS.search(name) and not _PASSWORD.search(name):
        return False  # passed, bypass, compass
    if found.lead[-1:] in (b":", b"/") and found.operator == b":":
        return False  # arn:…:secret:name
    return found.lead != b"::"  # Event::Pass is a class


def _is_reference(found: Assignment, value: bytes) -> bool:
    """Templates, paths, addresses, constants' names: they point elsewhere."""
    return bool(
        _CODE.search(value)
        or _REFERENCE.search(value)
        or _LITERAL.fullmatch(value)
        or _CONSTANT.fullmatch(value)
        or _FILE_NAME.fullmatch(value)
        or (found.quote and b" " in value.strip())
        or _VERSION.fullmatch(value)
        or (b"." in value and _IDENTIFIER.fullmatch(value) and not has_digit(value))
    )


def _is_code(found: Assignment, value: bytes, path: str) -> bool:
    """Whether a bare value is an expression. In settings files a bare word is a value."""
    if found.cut in (b"(", b"[", b"{", b"<") or b"(" in value or b"[" in value:
        return True
    if _SETTINGS.search(path):
        return b"." in value and bool(_IDENTIFIER.fullmatch(value)) and not has_digit(value)
    # In code a bare word is a variable; only `-e NAME=value` and comments carry bare values.
    if found.name.isupper() and found.operator == b"=":
        return bool(_IDENTIFIER.fullmatch(value)) and not has_digit(value) and b"_" in value
    return bool(_IDENTIFIER.fullmatch(value)) or len(value) < _SHORTEST_TOKEN


def _is_chosen(found: Assignment, value: bytes) -> bool:
    """A signing secret that a person typed: one word that stands where only the secret can."""
    if not _CHOSEN.search(found.name) or not value.isalnum() or len(value) < _SHORTEST_CHOSEN:
        return False
    return value.islower() or value.isupper()


def _looks_issued(value: bytes) -> bool:
    """Whether a machine made it: long, varied, and not words joined together."""
    if len(value) < _SHORTEST_TOKEN or b" " in value or value.isdigit():
        return False
    letters = sum(len(word) for word in pieces(value) if word.isalpha() and len(word) >= _WORD)
    wordy = letters / len(value)
    if has_digit(value):
        return entropy(value) >= _VARIED and (wordy < _MOSTLY_WORDS or len(value) >= _LONG)
    if len(value) < _LONG_TOKEN or b"_" in value:
        return False
    return entropy(value) >= _VARIED_LETTERS and wordy < _RATHER_WORDS
