"""The address of a repository on another host, as a person types it.

``https://host/path``, ``http://…`` (this machine, or a host of the configuration), ``ssh://…`` and
``user@host:path``. Git knows more (``ext::``, ``file:``, helpers), and runs programs for some.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from stanch.scanner.model.error import UsageError
from stanch.scanner.model.record import Record

_SSH = re.compile(r"([\w.-]+)@([\w.-]+):([\w./~+-]+)")
_HOST = re.compile(r"[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?(:\d+)?|\[[0-9a-fA-F:]+\](:\d+)?")
_USER = re.compile(r"(?:[\w.+][\w.+-]*)?")
#: Without what means something in git's own configuration: quotes, comments, ends of lines.
_PATH = re.compile(r"/[\w.~%+@:,=()&!'$*/-]+")
_FORMS = "write https://HOST/PATH, ssh://USER@HOST/PATH or USER@HOST:PATH"


class Address(Record):
    """Where a repository is: ``host`` is ``name[:port]``, ``path`` begins with a slash."""

    url: str
    scheme: str
    host: str
    path: str

    @property
    def name(self) -> str:
        """The path without what only git needs."""
        return self.path.strip("/").removesuffix(".git")

    @property
    def shown(self) -> str:
        """How it is named to people, and remembered."""
        return f"{self.host}/{self.name}"


def parse(text: str) -> Address:
    """The address; raises :class:`UsageError` for what git must not be given."""
    if not text.isprintable() or " " in text:  # urlsplit takes some of it away in silence
        raise UsageError("the address has characters that no address has", remedy=_FORMS)
    short = _SSH.fullmatch(text)
    if short is not None:
        return _checked(text, "ssh", f"{short[1]}@{short[2]}", f"/{short[3].lstrip('/')}")
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise UsageError("the address of the repository is none", remedy=_FORMS) from error
    if parts.query or parts.fragment:
        raise UsageError("the address has a query or a fragment", remedy=_FORMS)
    return _checked(text, parts.scheme.lower(), parts.netloc, parts.path)


def _checked(url: str, scheme: str, place: str, path: str) -> Address:
    user, _, host = place.rpartition("@")
    if not scheme:
        raise UsageError("the address names no protocol, as https:// is one", remedy=_FORMS)
    if scheme not in {"https", "http", "ssh"}:
        raise UsageError(f"repositories are not fetched by {scheme}:", remedy=_FORMS)
    if ":" in user or (user and scheme != "ssh"):
        # Not repeated: it may be a password.
        raise UsageError(
            f"the address of {host} holds a user or a password, which end in lists and logs",
            remedy=f'leave it out and name a reference: [hosts."{host}"] token = "env:NAME"',
        )
    if (
        not _HOST.fullmatch(host)
        or not _USER.fullmatch(user)
        or not _PATH.fullmatch(path)
        or "/-" in path
    ):
        raise UsageError("the address names no repository", remedy=_FORMS)
    return Address(url=url, scheme=scheme, host=host.lower(), path=path)
