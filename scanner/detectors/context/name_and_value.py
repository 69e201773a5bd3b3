"""What a name, an operator and a value are in their place: a secret, or something else.

Every function answers one question about one assignment and knows nothing of confidence.
"""

from __future__ import annotations

from stanch.scanner.detectors.context.assignment import Assignment
from stanch.scanner.detectors.text.path_kind import is_comment, is_translation
from stanch.scanner.detectors.text.placeholder import has_digit
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.detectors.text.template import is_template, reads_like_name
from stanch.scanner.detectors.text.wordlike import pieces, reads_like_word

PASSWORD = regex(
    rb"(?i)passw(?:or)?d|passphrase|passcode|passwort|pwd|(?:^|[_-]|db|sql|user|admin|root|smtp|mail|"
    rb"ftp|ldap|http|proxy|redis|my)(?:pass|pw|psw|mdp)(?:[_-]?\d{0,2})?$|pswd|senha|"
    rb"contrase(?:n|\xc3\xb1)a|mot_?-?de_?-?passe|kennwort|wachtwoord|(?-i:[Hh]as(?:l|\xc5\x82)o|HASLO)|parola|heslo|"
    rb"lozinka|sifre|\xc5\x9fifre|adgangskode|passord|l(?:o|\xc3\xb6)senord|salasana|jelsz(?:o|\xc3\xb3)|"
    + "пароль|密码|密碼|パスワード|비밀번호".encode()
)
_PASSWORDS = regex(rb"(?i)(?:password|passwd|passphrase|pwd)s$")
#: Two or three letters that are a password's name only when nothing else is in it.
_SHORT_NAME = regex(rb"(?:^|[^a-z0-9])(?:pw|psw|mdp)|[a-z]pw")
_LONG_NAME = regex(rb"pass|pwd|secret|token|credential|key|seed")
_BARE_PASS = regex(rb"(?i)pass(?!w(?:or)?d|phrase|code|wort)")
#: What a name ends with when it means something about a secret, not the secret.
_OTHER_THING = tuple(
    b"""
    file path dir folder url uri link href host port addr address name names field label id ids
    length len size type enum kind count policy reset min max regex regexp pattern hint prompt error
    errors message msg title text placeholder header format ttl timeout expiry expires expiration
    expire expired expires_in expiresin lifetime endpoint alg algorithm algo encoder encoding
    encryption version class column provider location index enabled required validator strength
    manager store source ref selector mount hash digest sha sha1 sha2 sha256 sha512 md5 checksum
    fingerprint thumbprint salt nonce arn env var state status scope scopes usage rotation reuse
    history prefix suffix example param input form view page button color verifier grant_type
    method mode level limit retries tokens date time at char chars characters event map list set
    cache challenge wrong invalid fake dummy used changed updated created modified strategy handler
    izer izers schema callback generator rule rules icon visible visibility toggle mismatch
    attribute property description startswith endswith contains isnull age duration lockout renewal
    complexity properties disabled enabled exists allowed denied encrypted stdin spec req func
    change cost costs options exception base based price delimiter separator postfix unauthorized
    notreqd iterations iteration rounds hasher hashers less workfactor entropy contract
    """.split()
)
#: The one id that is a secret: Vault's, beside the `role_id` (and an UUID, see `generic`).
_VAULT_SECRET = regex(rb"(?:^|[_-])(?:vault|approle|app_?role|role)\w*?[_-]?secret[_-]?id$")
_NOT_SECRET_KEY = regex(
    rb"(?i)(?:^|[_.-])(?:public|pub|primary|foreign|sort|partition|cache|row|dict|hash|unique|group|"
    rb"config|storage|i18n|translation|shortcut|hot|object|field|map|json|lookup|site|index|csrf|xsrf|"
    rb"(?:csrf|xsrf)middlewaretoken|next\w*|page|cancellation|authenticity|verification|forgery|ident|lex)[_-]?(?:key|token|password|secret)?[_-]?$|"
    rb"(?:^|[_.-])(?:onepassword|1password|lastpass|keepass|enpass)(?:[_-]raw)?$|"
    rb"(?:next|sync|page|continuation|pagination|resume|delta|cursor|scroll|watch|bookmark|marker|"
    rb"forward|backward|skip|stop|eos|bos|pad|mask|sep|unk|cls)_?tokens?(?:_?id)?$|"
    rb"publickey|public_key|pubkey|^x-(?:amz|goog)-credential$|^clienttoken$|idempotency|"
    rb"client_?request_?token|per[_-]?token|tokens?_cost|^seed(?:ing|ling)|reseed|seed[_-]?(?!s?$|\d{1,2}$|phrase|key|secret|words?)\w|"
    rb"(?:nation|region|location|station|person|column|version|position|option|mon|don|tur)key$"
)
#: `Public Key Token: …` names an assembly of .NET.
_PUBLIC = regex(rb"(?i)public[ _-]?key[ _-]?$")
#: What is done to a secret, or thought of it: `resetPassword` is a page, `invalid_token` a message.
_ACT = regex(
    rb"(?i)(?:change|reset|forg[eo]t|forgotten|recover|verify|validate|check|generate|create|update|"
    rb"require|save|remember|show|hide|toggle|lost|delete|remove|send|renew|expired|invalid|wrong|"
    rb"incorrect|bad|missing|faulty|(?:min|max|is|has|no|use|allow|enable|disable)[_-])"
    rb"s?[_-]?(?:(?:your|my|the|user|old|new|access|api|auth|client)[_-]?)?"
    rb"(?:passw|pwd|pass$|token|secret|credential|(?:\w+[_-])?key)"
)
#: What only an expression has in it. A written-out value may have any of these signs.
_CODE = regex(
    rb"^[=>]|\$\{|\{\{|\$\(|^\$[A-Za-z_]|<%|%\(|^%[A-Za-z_]+%$|%[sdv@]|#\{|^@|^\{|^\[|^<|^&|"
    rb"\{[A-Za-z_][\w.]*(?::[^{}]*)?(?:\}|$)|\$\$|^\(|=>|->|\(\)|^:\w|^\\?&\w|^\*[A-Za-z]|"
    rb"^\w+\[\w*\]$|^!\w+:|^[a-z]+(?:_[a-z0-9]+)+\.[\w-]+\.[a-z_]+$|^![A-Za-z_]+(?:\.[A-Za-z_]+)+$|\+\$/|^[a-z]+\.\$\w+$|\w\?\.\w|^/[\w.-]+(?:[/:]|$)|^@[A-Za-z]"
)
#: A call or a member, whole: `Abc1(x7` is neither.
_CALL = regex(
    rb"(?:\[\])?([A-Za-z_]\w*)[\w.:!?-]*(?:\((?:.*\)[\])};,]*$|[\"']|$)|\[(?:[\"':]|\w*\]))|"
    rb"([A-Za-z_]\w*)(?:::[A-Za-z_]\w*)+"
)
_SHORTEST_CALL = 3
#: A regular expression from end to end, bytes of a message rather than a text, a call, a path.
_WRITTEN = regex(
    rb"^\^.*\$$|\\x[01][0-9a-f]|^[A-Za-z_]\w*\.[A-Za-z_]\w*\([\"']|"
    rb"^[a-z_]+(?:\.[a-z_]+)*\.\d{1,2}\.[a-z_.]+$"
)
_LITERAL = regex(
    rb"(?i)(?:true|false|null|none|nil|undefined|nan|string|str|bytes|number|int|integer|float|bool|"
    rb"boolean|object|any|void|char|varchar|text|required|optional|array|list|dict|function|self|this|"
    rb"ssh-\w+|ecdsa-\S+|(?:hmac-?)?sha-?\d+|aes-?\d+\S*|scram-\S+|new|return|await|async|lambda|type|"
    rb"var|let|const|static|final|import|on|off|yes|no|ok|pass|passed|fail|failed|error|skip|skipped|"
    rb"yield|raise|throw|extern|undef|always|never|enabled?|disabled?|automatic|unavailable|keep|binary|"
    rb"utf-?\d+|us-ascii|ascii|latin-?\d|iso-8859-\d+|hex|base64(?:url)?)"
    rb"\b.{0,2}"
)
_UNREADABLE = regex(rb"[^\x00-\x7f]|\\u\{?[0-9A-Fa-f]{4}")
_ESCAPE = regex(rb"\\u\{?[0-9A-Fa-f]{4}")
_VERSION = regex(rb"v?\d+(?:\.\d+)+")
_MOMENT = regex(
    rb"(?i)\d{4}-\d\d-\d\d(?:[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?|"
    rb"\d+[.]?(?:ms|[smhdwy]|(?:second|minute|hour|day|week)s?)"
)
_NUMBER = regex(rb"(?i)[+-]?(?:0x[0-9a-f_]+|\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?)(?:[ul]{1,3}|f)?")
#: Numbers that nobody types for a password: fractions, negative ones, hexadecimal ones.
_MEASURE = regex(rb"(?i)-\d+|[+-]?\d+\.\d+(?:e[+-]?\d+)?|[+-]?\d+e[+-]\d+|0x[0-9a-f]{1,8}")
_IDENTIFIER = regex(rb"[A-Za-z_$][A-Za-z0-9_$]*(?:(?:\.|::?|->)[A-Za-z_$][\w$]*)*")
_CONSTANT = regex(rb"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
#: `io.jsonwebtoken:jjwt-api:0.12.5`, as Maven and Gradle name an artifact.
_ARTIFACT = regex(rb"[A-Za-z][\w.-]*:v?\d+(?:\.\d+)+[\w.-]*(?:[@=:][\w,-]*)?")
#: The account or contract of a chain, which everybody may see; private keys are longer.
_CHAIN_ADDRESS = regex(rb"0x[0-9A-Fa-f]{40}")
#: `passwordSecret: db-credentials`: which object holds the secret.
_HOLDER = regex(
    rb"(?i)(?:passw(?:or)?ds?|pull|credentials?|token|tls|certs?|certificate|keystore|truststore|"
    rb"existing|image|ssh|key|keys|registry|docker|auth|admin|root|user|env|from)[_-]?secrets?$"
)
#: `spdx_license_key: CC-BY-4.0`: which licence a work is under, in words, numbers and a version.
_LICENSE_KEY = regex(rb"(?i)licen[cs]e[_-]?key$")
_LICENSE = regex(rb"[A-Za-z]*[0-9]{0,3}(?:[-+.][A-Za-z]*[0-9]{0,4}){1,12}")
_BETWEEN = regex(rb"[-+.]")
_METHOD = regex(rb"(?:[A-Z][a-z]{2,}){1,6}\.[a-z]{3,}\w*")
_LABEL = regex(rb"[a-z]+[0-9]{0,2}(?:[-.][a-z]*[0-9]{0,3}){0,8}")
_FILE_NAME = regex(
    rb"(?i)[\w./-]+\.(?:key|pem|crt|cer|der|p12|pfx|jks|pub|txt|json|ya?ml|html?|js|ts|py|go|php|xml|"
    rb"conf|cfg|ini|rb|c|h|o|a|so|lo|la|pod|md|rst|tf|sh|java|go|cpp|hpp|cs)"
)
_SENTENCE = regex(rb"[ \t]+(?:\(|[A-Za-z]*[a-z]|\d{2,}[ \t])")
#: `X_PASSWORD_not_supported=Schema mapping for …`: a file of texts, one in a line.
_TEXT = regex(rb"[A-Z][a-z]+[,.:]?"), regex(rb"[ ]['\"]?[A-Za-z]+[ ,'][A-Za-z '\"]")
_APP_PASSWORD = regex(rb"[a-z]{4}(?: [a-z]{4}){3}")
_OPERATES = regex(rb"[ \t]?(?:[+*/|&?-]|<<|==|&&|\|\|)[ \t]")
_PLAIN_WORDS = regex(rb"(?:\d{1,4}:)?[A-Za-z]+(?:[-'/][A-Za-z]+)*[.:!?]?")
_EXAMPLE_HOST = regex(rb"(?i)://[\w.-]*\bexample\b[^\s\"']*$")
#: The address of a picture: whoever sees the page may have its parameter.
_PICTURE = regex(rb"(?i)\.(?:svg|png|gif|jpe?g)\?[^\s\"']*$")
#: `ConvertTo-SecureString $text`: what a command of PowerShell gives back.
_COMMAND = regex(
    rb"(?:ConvertTo|ConvertFrom|Get|Read|New|Import|Invoke|Select|Join)-[A-Z][A-Za-z]+"
)
_DECLARES = regex(rb"\s*(?:export )?(?:type|typedef|interface|struct) ")
_COMPARISONS = frozenset((b"==", b"===", b"!="))
_TERNARY = regex(rb"\?[ \t]{0,3}[\"']?$")
_WORD = 3
_MOSTLY_WORDS = 0.8
_FEW_DIGITS = 2


def names_secret(found: Assignment) -> bool:
    """Whether the name means the secret itself, not its file, length, label or public half."""
    name = found.last_word.strip(b"_-")
    if _VAULT_SECRET.search(name):
        return True
    if _is_too_short(name) or name.endswith(_OTHER_THING) or _NOT_SECRET_KEY.search(name):
        return False
    if _BARE_PASS.search(name) and not PASSWORD.search(name):
        return False  # passed, bypass, compass
    here = name == b"pwd" and found.lead.endswith((b"(", b"`"))  # the folder, not a password
    if here or _ACT.match(name) or _PUBLIC.search(found.front[-16:]):
        return False
    if found.lead.endswith((b":", b"/")) and found.operator == b":":
        return False  # arn:…:secret:name
    # ok ? "PASS" : "FAIL", and Event::Pass, which is a class
    chosen = _TERNARY.search(found.lead) and found.operator == b":"
    return not chosen and (found.operator == b"=" or not found.lead.endswith(b"::"))


def _is_too_short(name: bytes) -> bool:
    """Whether two letters that may mean a password are all that speaks of one: `pwa_icon`."""
    return bool(_SHORT_NAME.search(name)) and not (_LONG_NAME.search(name) or PASSWORD.search(name))


def points_elsewhere(found: Assignment, value: bytes) -> bool:
    """Templates, paths, addresses, constants' names, types: the secret is not here."""
    return bool(
        is_template(value)
        or (not found.quote and not found.exact and _CODE.search(value))
        or _LITERAL.fullmatch(value)
        or (value[:1] == b"[" and _PASSWORDS.search(found.name))  # a list: its items are judged
        or _WRITTEN.search(value)
        or _CONSTANT.fullmatch(value)
        or _FILE_NAME.fullmatch(value)
        or _VERSION.fullmatch(value)
        or _MOMENT.fullmatch(value)
        or _MEASURE.fullmatch(value)
        or (found.operator == b":" and _ARTIFACT.fullmatch(value))
        or _CHAIN_ADDRESS.fullmatch(value)
        or _names_holder(found, value)
        or (_LICENSE_KEY.search(found.name) and _names_license(value))
        or (b"." in value and _IDENTIFIER.fullmatch(value) and not has_digit(value))
        or (not has_digit(value) and _repeats(found.name, value))
    )


def is_phrase(found: Assignment, value: bytes) -> bool:
    """Several words in quotes, other than an application's password of Google."""
    return bool(found.quote) and b" " in value.strip() and not is_app_password(value)


def _names_holder(found: Assignment, value: bytes) -> bool:
    """Whether the name asks for an object that holds the secret, and the value is such a name."""
    if found.name.isupper() or not _HOLDER.search(found.last_word):
        return False
    space, _, name = value.rpartition(b":")  # Kubernetes says in which namespace
    labels = all(_LABEL.fullmatch(each) for each in (space or name, name))
    return labels and (b"-" in value or reads_like_word(value))


def _names_license(value: bytes) -> bool:
    """``gpl-2.0-plus``, and not the groups of one length that a shop sends."""
    groups = _BETWEEN.split(value)
    return bool(_LICENSE.fullmatch(value)) and len(set(map(len, groups))) > 1


def _names_method(value: bytes) -> bool:
    """``SecureRandom.base64``: a class and what is asked of it."""
    return bool(_METHOD.fullmatch(value)) and is_class_name(value)


def is_app_password(value: bytes) -> bool:
    """Four groups of four letters, as Google shows the password of an application."""
    return bool(_APP_PASSWORD.fullmatch(value)) and not reads_like_word(value)


def is_label(value: bytes, path: str) -> bool:
    """A text for people: in another script, or a word in a file of translations."""
    if has_digit(_ESCAPE.sub(b"", value)):
        return False
    return bool(_UNREADABLE.search(value) or is_translation(path))


def is_code(found: Assignment, value: bytes) -> bool:
    """Whether a bare value is an expression. In settings files a bare word is a value."""
    if is_expression(found, value) or _DECLARES.match(found.front):
        return True
    if found.settings:
        dotted = b"." in value and bool(_IDENTIFIER.fullmatch(value))
        return dotted and (not has_digit(value) or _names_method(value))
    if found.in_string or is_comment(found.front):
        environment = found.operator == b"=" and found.name.isupper()
        ended = found.in_string and found.cut == b";"
        literal = has_digit(value) or ended or environment
        return not literal or bool(_NUMBER.fullmatch(value))
    if found.operator == b"=" and found.lead[-1:] in (b"?", b"&", b"#") and has_digit(value):
        return bool(_NUMBER.fullmatch(value))  # a parameter of an address
    # In code a bare word is a variable; only `-e NAME=value` and comments carry bare values.
    computed = _NUMBER.fullmatch(value) or _OPERATES.match(found.tail)
    if found.name.isupper() and found.operator == b"=" and not computed:
        return bool(_IDENTIFIER.fullmatch(value)) and not has_digit(value) and b"_" in value
    return bool(_IDENTIFIER.fullmatch(value) or _NUMBER.fullmatch(value)) or len(value) < 8  # noqa: PLR2004 - shorter than any token


def is_expression(found: Assignment, value: bytes) -> bool:
    """Calls, members, what is compared, what is given to ``$name``: computed in any language."""
    written_out = found.exact or (found.in_string and found.settings)
    if written_out and found.lead[-1:] != b"$":
        call = _CALL.fullmatch(value)
        name = (call[1] or call[2]) if call else b""
        named = len(name) >= _SHORTEST_CALL and reads_like_name(name)
        return named or bool(_COMMAND.fullmatch(value)) or found.operator in _COMPARISONS
    if found.cut in (b"(", b"[", b"{", b"<") or b"(" in value or b"[" in value or b"::" in value:
        return True
    if value[-1:] == b"{" and _IDENTIFIER.fullmatch(value[:-1]):
        return True  # Password{…} in Go is a type with its fields
    if found.cut == b">" and value[-1:] in b"-=":
        return True
    return bool(
        found.operator in _COMPARISONS or found.lead[-1:] == b"$" or _COMMAND.fullmatch(value)
    )


def is_in_docstring(found: Assignment, path: str) -> bool:
    """A line of YAML in a module of Python: no statement looks like it, but documentation does."""
    alone = not found.front.strip(b" \t-") and not found.tail.strip(b" \t\r\"'")
    return alone and found.operator == b":" and not found.name.isupper() and path.endswith(".py")


def is_prose(found: Assignment, value: bytes) -> bool:
    """A bare word in a sentence: "pass: about the value", "password: DEPRECATED: see below"."""
    if _TEXT[0].fullmatch(value) and _TEXT[1].match(found.tail):
        return True
    if found.operator != b":":
        return False
    if found.lead.endswith((b"-- ", b"== ")) and found.name == b"PASS":
        return True  # --- PASS: TestLogin
    if found.last_word == b"pass":  # PASS: suite/case.exp: what was tried
        return value[-1:] == b":" or bool(_SENTENCE.match(found.tail))
    if not _PLAIN_WORDS.fullmatch(value):
        return False
    return value[-1:] in b".:!?" or bool(_SENTENCE.match(found.tail))


def is_class_name(value: bytes) -> bool:
    """CamelCase or dotted words with hardly a digit: a type, a field, a module."""
    if not _IDENTIFIER.fullmatch(value.rstrip(b".:,")):
        return False
    if not has_digit(value):
        return True
    digits = sum(48 <= byte <= 57 for byte in value)  # noqa: PLR2004 - ASCII 0 to 9
    letters = sum(len(word) for word in pieces(value) if word.isalpha() and len(word) >= _WORD)
    several = b"." in value or len({byte.isupper() for byte in map(chr, value)}) > 1
    signs = sum(value.count(sign) for sign in (b"_", b".", b"$", b":"))
    return digits <= _FEW_DIGITS and several and letters >= _MOSTLY_WORDS * (len(value) - signs)


def of_example_host(found: Assignment) -> bool:
    """A parameter of an address that stands for any, a documentation's, or of a picture's."""
    if found.operator != b"=":
        return False
    return bool(_EXAMPLE_HOST.search(found.front) or _PICTURE.search(found.front))


def _repeats(name: bytes, value: bytes) -> bool:
    """``GENERATE_PASSWORD = "GeneratePassword"``: an enumeration names its member."""
    words = pieces(value)
    return len(words) > 1 and set(words) <= set(
        pieces(name.lower().replace(b"_", b" ")) + pieces(name)
    )
