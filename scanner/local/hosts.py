"""What the operator says of other hosts: ``[hosts]`` of the configuration, never of a scanned tree.

[hosts."ghe.example.com"]
provider = "github"          # what answers there, where the name does not say so
token = "env:GHE_TOKEN"      # sent to this host alone, and only over TLS

[hosts."registry.example.com"]
user = "scanner"
password = "file:/run/secrets/registry"

The file is ``$STANCH_CONFIG``, else ``stanch.toml`` in the data directory, else the system's. For a
host without an entry the variables that its own tools read are taken (``DEFAULTS``).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from stanch.scanner.local.fingerprint_key import data_directory
from stanch.scanner.model.error import UsageError
from stanch.scanner.model.nearest import nearest
from stanch.scanner.model.record import Record
from stanch.scanner.model.secret import SecretValue

SYSTEM = Path("/etc/stanch/stanch.toml")
DEFAULTS: Mapping[str, str] = MappingProxyType(
    {
        "github.com": "env:GITHUB_TOKEN",
        "api.github.com": "env:GITHUB_TOKEN",
        "gitlab.com": "env:GITLAB_TOKEN",
        "bitbucket.org": "env:BITBUCKET_TOKEN",
        "api.bitbucket.org": "env:BITBUCKET_TOKEN",
        "api.buildkite.com": "env:BUILDKITE_TOKEN",
        "circleci.com": "env:CIRCLECI_TOKEN",
    }
)
KEYS = ("provider", "token", "user", "password")
_LARGEST = 1 << 20  # bytes of a secret's file


class Host(Record):
    """A host by its name; secrets are references until they are sent."""

    name: str
    provider: str = ""
    token: str = ""
    user: str = ""
    password: str = ""

    def secret(self, environ: Mapping[str, str]) -> SecretValue | None:
        """The token, or the password where there is a user; None where nothing is said.

        A variable that a default names may be missing; one that the operator names may not.
        """
        reference = self.password or self.token
        if not reference:
            return None
        if reference == DEFAULTS.get(self.name) and not environ.get(reference.partition(":")[2]):
            return None
        return dereferenced(reference, f'[hosts."{self.name}"]', environ)


class Hosts(Record):
    """All hosts that the operator names."""

    named: Mapping[str, Host]

    def of(self, name: str) -> Host:
        """What is known of a host (``name`` or ``name:port``, lower case)."""
        known = self.named.get(name) or self.named.get(name.partition(":")[0])
        return known or Host(name=name, token=DEFAULTS.get(name, ""))


def operator_hosts(environ: Mapping[str, str] = os.environ) -> Hosts:
    """The hosts of the configuration in force."""
    import tomllib  # noqa: PLC0415  # most scans ask no host

    for file in _files(environ):
        try:
            table = tomllib.loads(file.read_text(encoding="utf-8-sig")).get("hosts", {})
        except (FileNotFoundError, NotADirectoryError):
            if environ.get("STANCH_CONFIG"):
                remedy = "STANCH_CONFIG must name a TOML file"
                raise UsageError(f"{file} does not exist", remedy=remedy) from None
            continue
        except (OSError, ValueError, RecursionError) as error:
            remedy = "mend its permissions or its TOML"
            raise UsageError(f"{file}: cannot be read: {error}", remedy=remedy) from None
        return parse(table, file)
    return Hosts(named={})


def parse(table: object, file: Path) -> Hosts:
    """Check ``[hosts]``; raises :class:`UsageError` that names the file and the entry."""
    found: dict[str, Host] = {}
    for name, entry in table.items() if isinstance(table, dict) else [("", table)]:
        where = f'{file}: [hosts."{name}"]'
        if not isinstance(entry, dict) or not all(isinstance(v, str) for v in entry.values()):
            raise UsageError(
                f"{where}: is not a table of texts",
                remedy='write [hosts."HOST"] and below it token = "env:NAME"',
            )
        for key in entry:
            if key not in KEYS:
                raise UsageError(f"{where}: unknown key `{key}`", remedy=nearest(key, KEYS))
        for key in ("token", "password"):
            if not entry.get(key, "env:").startswith(("env:", "file:")):
                raise UsageError(
                    f"{where}: `{key}` is no reference",
                    remedy="write env:NAME or file:/path; never the secret itself",
                )
        if bool(entry.get("user")) != bool(entry.get("password")):
            raise UsageError(
                f"{where}: `user` and `password` belong together", remedy="write both, or a token"
            )
        found[name.lower()] = Host(name=name.lower(), **entry)
    return Hosts(named=found)


def dereferenced(reference: str, what: str, environ: Mapping[str, str]) -> SecretValue:
    """The secret behind ``env:NAME`` or ``file:/path``, without the line's end."""
    kind, _, where = reference.partition(":")
    if kind == "env" and where:
        value = environ.get(where, "").encode("utf-8", "surrogateescape")
        problem = f"{what}: the variable {where} is not set"
    elif kind == "file" and where:
        try:
            with Path(where).open("rb") as file:
                value = file.read(_LARGEST)
        except OSError as error:
            value = b""
            problem = f"{what}: {where} cannot be read: {error.strerror}"
        else:
            problem = f"{what}: {where} is empty"
    else:
        value, problem = b"", f"{what}: the reference is neither env:NAME nor file:/path"
    value = value.rstrip(b"\r\n")
    if not value:
        raise UsageError(problem, remedy="set it, or name another reference: env:NAME, file:/path")
    return SecretValue(value)


def _files(environ: Mapping[str, str]) -> tuple[Path, ...]:
    if named := environ.get("STANCH_CONFIG"):
        return (Path(named),)
    return (data_directory(environ) / "stanch.toml", SYSTEM)
