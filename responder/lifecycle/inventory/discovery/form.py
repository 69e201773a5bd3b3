"""The forms in which code, manifests and settings refer to a secret that is kept elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_NAME = r"[A-Za-z0-9_./+=@:%-]"
_PATH = r"[^\s\"'`<>{}|\\,;)\]]"
_ARN = r"\barn:aws[a-z-]{0,10}:"
_WHOLE = r"(?:[\"'=]|:[ \t])", r"(?=[\"'\s]|$)"  # nothing else stands in the value
_SUFFIX = re.compile(r"-[A-Za-z0-9]{6}\Z")  # AWS puts it behind the name in an ARN
_ARN_PARTS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One way to refer. ``store`` says what keeps it, if the group ``store`` does not.

    ``plain`` takes from the group ``name`` what selects a part or a version: the rest is the
    secret's own name there.
    """

    id: str
    store: str
    pattern: re.Pattern[bytes]
    plain: Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A reference that stands somewhere."""

    form: str
    store: str
    name: str
    text: str
    offset: int


def _slashes(name: str) -> str:
    return name.strip("/")


def _path(name: str) -> str:
    return name.partition("#")[0].partition("?")[0].strip("/")


def _front(name: str) -> str:
    return name.partition(":")[0].strip("/")


def _in_arn(name: str) -> str:
    return _SUFFIX.sub("", name.partition(":")[0])


def _resolved(name: str) -> str:
    parts = name.split(":")
    if parts[0] != "arn":
        return parts[0]
    return _in_arn(parts[_ARN_PARTS - 1]) if len(parts) >= _ARN_PARTS else name


def _form(name: str, store: str, pattern: str, plain: Callable[[str], str] = _slashes) -> Form:
    return Form(id=name, store=store, pattern=re.compile(pattern.encode("ascii")), plain=plain)


def _scheme(scheme: str, store: str) -> Form:
    return _form(scheme, store, rf"\b{scheme}://(?P<name>{_PATH}{{1,300}})")


def _word(scheme: str, store: str, name: str) -> Form:
    """``env:NAME``: also a word of prose and code, so it has to be the whole of a value."""
    front, behind = _WHOLE
    return _form(scheme, store, f"{front}{scheme}:(?P<name>{name}){behind}")


# Each is bounded, so that a hostile file costs no more than its length.
FORMS = (
    _form(
        "secret",
        "stanch",
        rf"\bsecret://(?P<name>{_NAME}{{3,400}}(?:\?version={_NAME}{{1,128}})?)",
        lambda name: name.partition("?")[0].rstrip(".:"),
    ),
    _form(
        "vals",
        "",
        rf"\b(?:ref|secretref)\+(?P<store>[a-z0-9]{{2,30}})://(?P<name>{_PATH}{{1,300}})",
        _path,
    ),
    _form(
        "cloudformation",
        "secrets-manager",
        r"\{\{resolve:secretsmanager:(?P<name>[^{}\s]{1,400})\}\}",
        _resolved,
    ),
    _form(
        "cloudformation-ssm",
        "parameter-store",
        r"\{\{resolve:ssm(?:-secure)?:(?P<name>[^{}\s]{1,400})\}\}",
        _front,
    ),
    _form(
        "arn",
        "secrets-manager",
        _ARN + r"secretsmanager:[a-z0-9-]{1,30}:\d{12}:secret:(?P<name>[\w/+=.@:-]{1,512})",
        _in_arn,
    ),
    _form(
        "arn-ssm",
        "parameter-store",
        _ARN + r"ssm:[a-z0-9-]{1,30}:\d{12}:parameter/(?P<name>[\w/.-]{1,512})",
    ),
    _scheme("op", "1password"),
    _scheme("sm", "google-secret-manager"),
    _scheme("berglas", "berglas"),
    _scheme("akv", "azure-key-vault"),
    _scheme("bw", "bitwarden"),
    _scheme("doppler", "doppler"),
    _form("app-service", "azure-key-vault", r"@Microsoft\.KeyVault\((?P<name>[^()\s]{1,400})\)"),
    _form(
        "bank-vaults",
        "openbao",
        r"\bvault:(?P<name>[a-z0-9_-]{1,60}/[\w/.-]{1,300}#[\w.-]{1,100})",
        _path,
    ),
    _form(
        "github-actions",
        "github-actions",
        r"\$\{\{[ \t]{0,9}secrets\.(?P<name>[A-Za-z_]\w{0,99})[^{}\n]{0,60}\}\}",
    ),
    _word("keyring", "keyring", r"[\w./@-]{1,200}"),
    _word("env", "process-environment", r"[A-Z][A-Z0-9_]{1,99}"),
    _word("file", "file", r"/[\w./@-]{1,300}"),
)

_STORES = {
    "awssecrets": "secrets-manager",
    "awsssm": "parameter-store",
    "vault": "openbao",
    "gcpsecrets": "google-secret-manager",
    "azurekeyvault": "azure-key-vault",
}


def mentions(data: bytes) -> Iterator[Mention]:
    """Every reference in a text, in the order of the forms."""
    for form in FORMS:
        for found in form.pattern.finditer(data):
            groups = found.groupdict()
            store = _text(groups.get("store", b""))
            yield Mention(
                form=form.id,
                store=_STORES.get(store, store) or form.store,
                name=form.plain(_text(groups["name"])),
                text=_text(found[0]).strip(" \t\"'=:"),
                offset=found.start("name"),
            )


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
