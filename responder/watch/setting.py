"""``[watch.NAME]`` of ``stanch.toml``, and what is watched because of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec

from stanch.responder.domain.error import ConfigError
from stanch.scanner.api import ScannerError, place_named, repository

Kind = Literal["github", "gitlab", "gitea", "bitbucket", "git", "ci", "cloudwatch", "ecr", "file"]
HOSTS = frozenset({"github", "gitlab", "gitea", "bitbucket"})
"""Kinds whose hosts send webhooks and list repositories."""

EVERY = MappingProxyType(
    {"ci": 120.0, "cloudwatch": 60.0, "ecr": 20.0, "file": 5.0}
    | dict.fromkeys((*HOSTS, "git"), 300.0)
)
"""Seconds between two looks, where the configuration does not say."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_ONLY = {
    "secret": HOSTS,
    "signing": frozenset({"gitlab"}),
    "registry": frozenset({"ecr"}),
    "runs": frozenset({"github", "gitlab"}),
}
_HERE = ("/", ".", "~", "file:")  # how paths of this machine begin
_SECRETS = ("secret", "signing")


class WatchSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that is watched: ``of`` names it in the way of its ``kind``.

    ``secret`` and ``signing`` are references: what a host signs its webhooks with. ``every``:
    seconds between two looks. ``begin``: whether what was there before is read too. ``registry``:
    another name under which images of ECR are pulled. ``runs``: of each repository that is listed
    the logs of its pipelines are read, too.
    """

    kind: Kind
    of: str
    every: Annotated[float, msgspec.Meta(gt=0)] | None = None
    begin: Literal["history", "now"] = "history"
    secret: str = ""
    signing: str = ""
    registry: str = ""
    runs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A section that was checked."""

    name: str
    kind: Kind
    of: str
    every: timedelta
    history: bool
    secret: str = ""
    signing: str = ""
    registry: str = ""
    runs: bool = False

    @property
    def subject(self) -> str:
        """How its first source is called."""
        return f"{self.kind}:{self.of}" if self.kind in HOSTS else self.of


def watched(name: str, section: WatchSection) -> Watched:
    """What is watched; raises ConfigError that names the key."""
    where = f"[watch.{name}]"
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{where}: the name is a part of an address",
            remedy="use at most 40 small letters, digits, - and _",
        )
    if not section.of.strip():
        raise ConfigError(f"{where} of: names nothing", remedy="docs/watching.md has the forms")
    for key, kinds in _ONLY.items():
        if getattr(section, key) and section.kind not in kinds:
            raise ConfigError(
                f"{where} {key}: says nothing of {section.kind}",
                remedy=f"leave it out; it is for {', '.join(sorted(kinds))}",
            )
    for key in _SECRETS:
        if getattr(section, key) and not getattr(section, key).startswith(("env:", "file:")):
            raise ConfigError(
                f"{where} {key}: is no reference",
                remedy="write env:NAME or file:/path; never the secret itself",
            )
    _reachable(where, section)
    return Watched(
        name=name,
        kind=section.kind,
        of=section.of.strip(),
        every=timedelta(seconds=section.every or EVERY[section.kind]),
        history=section.begin == "history",
        secret=section.secret,
        signing=section.signing,
        registry=section.registry,
        runs=section.runs,
    )


def _reachable(where: str, section: WatchSection) -> None:
    """Whether ``of`` has the form of its kind: who only looks later learns it too late."""
    of = section.of.strip()
    if not of.isprintable():
        raise ConfigError(f"{where} of: has characters that no name has", remedy="type it anew")
    if section.kind == "file" and not _whole(of):
        raise ConfigError(
            f"{where} of: is no whole path, and each process stands in another folder",
            remedy='write the path from the root: of = "/var/log/app.log"',
        )
    if section.kind == "git" and of.startswith(_HERE):
        raise ConfigError(
            f"{where} of: a local path is not watched", remedy="use https://HOST/PATH.git"
        )
    try:
        if section.kind == "git":
            repository(of)
        elif section.kind in HOSTS:
            place_named(section.kind, of)
    except ScannerError as error:
        # An owner is not repeated: who pastes an address pastes its password.
        said = error if section.kind == "git" else "names nobody's repositories"
        remedy = error.remedy if section.kind == "git" else "docs/watching.md has the forms"
        raise ConfigError(f"{where} of: {said}", remedy=remedy) from None


def _whole(path: str) -> bool:
    try:
        return Path(path).expanduser().is_absolute()
    except RuntimeError:  # nobody has that name here
        return False
