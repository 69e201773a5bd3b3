"""Values that are filled in later: variables, expressions of template languages, references.

A password generator draws every sign, so one sign says nothing. A template is a form that is
closed and has a name in it, or a whole value that says where the secret is kept. In a program a
bare word with such signs is an expression; see ``context``.
"""

from __future__ import annotations

from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.detectors.text.wordlike import is_made_of_words, pieces

#: Forms that stand for something else wherever they are in a value.
_ANYWHERE = regex(
    rb"\$\{\{|\$\{\??[A-Za-z_][^{}\s]*\}|\{\{[^{}]*\}\}|\$\([A-Za-z_./\[$]|#\{[A-Za-z_@$][^{}]*\}|<%[^<>]*%>"
    rb"|%\([A-Za-z_]\w*\)|(?:^|[\s:/=_-])%[sdv@](?:$|[\s:/_-])|process\.env|os\.environ|getenv|ENV\["
    rb"|\[\^?(?:[A-Za-z0-9]-[A-Za-z0-9])+(?:[^\[\]\\]|\\.)*\]|\(\?[:=!<Pi]|\\[bdwsDWS][+*({\[]|\[-?\d\]"
)
#: Forms that begin a value.
_BEGINS = regex(
    rb"\{\{[-~]?[ ]?[A-Za-z_.$]|"
    rb"\$\(\(?[A-Za-z_./]|\$\{\??[A-Za-z_][\w.]*(?:[:?}+=-]|$)|#\{[A-Za-z_]|%\{[A-Za-z_]|"
    rb"ENC\(|arn:|\[[a-zA-Z]{3,24}\(|"
    rb"\.\.?/[\w./@-]+$|\\x[0-9A-Fa-f]{2}\\|/\^|d?word:|<%[=-]?[ ]|"
    rb"!(?:Ref|Sub|GetAtt|Join|ImportValue|vault|secret|env|reference)\b|\$\$[A-Za-z_{]+\}?$|"
    rb"<(?:your|insert|my|the|put|add|enter|replace)\b|(?:BOOL|PATH|FILEPATH|INTERNAL)="
)
#: A name within signs that a language gives a meaning; it counts when the name reads like one.
_NAMED = (
    regex(rb"\$\$?([A-Za-z_]\w{2,})(?:$|[-/:.@,;]|->|\[)"),
    regex(rb"\$([A-Za-z_]\w{0,2})$"),
    regex(rb"\$(?:env:|ENV:|[A-Za-z]{1,8}::)([A-Za-z_]\w*)"),
    regex(rb"\$([A-Za-z_]\w*)->\w{2}"),
    regex(rb"@\{?([A-Za-z_][\w.-]{2,})(?:[}/(]|$)"),
    regex(rb":([A-Za-z_]\w{2,})$"),
    regex(rb"\\?&([A-Za-z_]\w{2,});?$"),
    regex(rb"\*([A-Za-z_][\w.-]{2,})$"),
    regex(rb"!([A-Za-z_]\w{2,})(?:$|[: ])"),
    regex(rb"<([A-Za-z_][A-Za-z_-]*)$"),
    regex(rb"([A-Za-z_]\w{2,}(?:\.\w+)*)\[\w*\]$"),
    regex(rb"([A-Za-z_][\w.]{2,})\(\)"),
    regex(rb"[a-z]+\.\$([A-Za-z_]\w*)$"),
    regex(rb"[A-Za-z_]\w+\?\.([A-Za-z_]\w*)$"),
)
#: The same with a sign at both ends: the name has one case, or reads like one.
_CLOSED = (
    regex(rb"%([A-Za-z_]\w*)%$"),
    regex(rb"@@?([A-Za-z_][\w. -]{2,})@@?$"),
    regex(rb".{0,24}?\{([A-Za-z_]\w{2,}(?:\.\w+)*)(?:[:!][\w.,<>^%+:-]{0,24})?\}"),
    regex(rb"\{([A-Za-z_]\w{0,40})\}$"),
    regex(rb"<{1,3}[+]?([A-Za-z_][\w. :|/-]*)[+]?>{1,3}[,;.]?$"),
    regex(rb"\[([A-Za-z_][\w. -]*)\]$"),
)
_INSIDE = regex(
    rb"[^{$]\{([A-Za-z_][\w.]{2,})(?::[^{}]*)?\}|[^\w$]\$([A-Za-z_][a-z_]{3,}|[A-Z_]{4,})(?![A-Za-z0-9])"
)
_REFERENCE = regex(
    rb"(?i)^[a-z][a-z0-9+.-]{0,30}://|^(?:file|env|vault|ssm|secretsmanager|keyring|keychain|sealed|"
    rb"cmd|exec|prompt|ref):"
    rb"[^\s]|^~/|^[A-Z]:\\\w|^[\w.+-]+@[\w-]+(?:\.[\w-]+)+$|(?:^|/)(?:secrets|versions|vaults)/[\w-]|"
    rb"^(?:uri:)?urn:|^\.[a-z_]\w*(?:\.\w+)+$|^\d{4}_[a-z]\w*$|^[\w-]+/\d{8}/|(?-i:^[\w.-]+(?:/[a-z_{}-]{3,}){2,}/?$)|"
    rb"(?-i:^//[a-z0-9][a-z0-9._-]*/(?:dev|test|staging|prod)/[a-z0-9])|"  # secret://…, our own
    rb"^sha\d+[:-]|^md5[:-]|^(?:required|nullable|sometimes|confirmed|string)\|"
)
_PATH = regex(rb"/[\w.@+-]+(?:[/:][\w.@+{}$*-]*)*$")
_ROOT = regex(
    rb"/(?:run|etc|var|opt|home|usr|tmp|mnt|srv|data|app|root|dev|proc|secrets?|vault|config|bin|lib|"
    rb"keys?|certs?|ssl|Users|private|api|v\d|auth|users?|accounts?|admin|login|oauth2?|token)(?:[/:.]|$)"
)
_TELLING = regex(rb"(?i)pass|pwd|secret|token|key|user|config|env|auth|cred|db|name|id$")
_FEW_DIGITS = 3
_WORDLIKE = 3


def is_template(value: bytes) -> bool:
    """Whether a written-out value is filled in later, or says where the secret is kept."""
    if _ANYWHERE.search(value) or _BEGINS.match(value) or _REFERENCE.search(value):
        return True
    if value[:1] == b"/" and _is_path(value):
        return True
    if any((found := form.match(value)) and reads_like_name(found[1]) for form in _NAMED):
        return True
    for form in _CLOSED:
        found = form.match(value)
        if found and (
            found[1] in (found[1].lower(), found[1].upper()) or reads_like_name(found[1])
        ):
            return True
    return any(is_made_of_words(each[1] or each[2]) for each in _INSIDE.finditer(value))


def reads_like_name(word: bytes) -> bool:
    """Whether a programmer would call something so: one case or whole words, digits at the end."""
    plain = word.strip(b"_")
    digits = sum(48 <= byte <= 57 for byte in plain)  # noqa: PLR2004 - ASCII 0 to 9
    if digits > _FEW_DIGITS or not plain:
        return False
    if plain.lower() == plain or plain.upper() == plain:
        return digits <= 1 or plain.rstrip(b"0123456789_-").isalpha()
    letters = [piece for piece in pieces(plain) if piece.isalpha()]
    whole = sum(map(len, letters)) >= _WORDLIKE * len(letters)
    return whole and (is_made_of_words(plain) or _TELLING.search(plain) is not None)


def _is_path(value: bytes) -> bool:
    """Of the alphabet of base64 one value in 64 begins with a slash; a path is made of words."""
    if not _PATH.match(value):
        return False
    return value.lower() == value or bool(_ROOT.match(value)) or is_made_of_words(value)
