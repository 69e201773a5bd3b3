"""What git-secrets, Talisman, ggshield and TruffleHog leave out."""

from __future__ import annotations

from typing import Any

import yaml

from stanch.scanner.cli.migrate.migrated import Migrated
from stanch.scanner.model.allowlist import Allowlist


def git_secrets(text: str, name: str) -> Migrated:
    """``.gitallowed``: extended regular expressions, one a line, held against whole lines there."""
    regexes = _lines(text)
    note = f"{name}: its patterns looked at whole lines; here they look at the value alone"
    return _of(name, notes=(note,) if regexes else (), regexes=regexes)


def trufflehog(text: str, name: str) -> Migrated:
    """A file for ``--exclude-paths``: regular expressions, one a line."""
    return _of(name, path_regexes=_lines(text))


def talisman(text: str, name: str) -> Migrated:
    """``.talismanrc`` (<https://thoughtworks.github.io/talisman/docs/configuring-talisman/>)."""
    read = _mapping(text)
    files = [each for each in read.get("fileignoreconfig") or [] if isinstance(each, dict)]
    notes = [
        f"{name}: {each['filename']}: allowed whatever it holds; Talisman's checksum is not kept"
        for each in files
        if each.get("checksum") and each.get("filename")
    ]
    taken = {"fileignoreconfig", "allowed_patterns", "version"}
    notes += [f"{name}: without its {key}" for key in sorted(read.keys() - taken)]
    paths = _of(name, paths=tuple(str(each["filename"]) for each in files if each.get("filename")))
    values = _of(name, regexes=tuple(map(str, read.get("allowed_patterns") or [])))
    return Migrated(allowlists=paths.allowlists + values.allowlists, notes=tuple(notes))


def ggshield(text: str, name: str) -> Migrated:
    """``.gitguardian.yaml`` (<https://docs.gitguardian.com/ggshield-docs/configuration>)."""
    read = _mapping(text)
    secret = read["secret"] if isinstance(read.get("secret"), dict) else read
    paths = secret.get("ignored_paths") or secret.get("ignored-paths") or read.get("paths-ignore")
    notes = [
        f"{name}: {key.replace('_', '-')}: hashes or detectors of GitGuardian; accept what is "
        "still found by `stanch baseline add`"
        for key in ("ignored_matches", "ignored-matches", "ignored_detectors", "ignored-detectors")
        if secret.get(key)
    ]
    globs = tuple(str(each).replace("**", "*") for each in paths or ())
    return _of(name, notes=tuple(notes), paths=globs)


def _of(
    name: str,
    *,
    notes: tuple[str, ...] = (),
    paths: tuple[str, ...] = (),
    path_regexes: tuple[str, ...] = (),
    regexes: tuple[str, ...] = (),
) -> Migrated:
    made = Allowlist(
        reason=f"allowed in {name}", paths=paths, path_regexes=path_regexes, regexes=regexes
    )
    return Migrated(allowlists=(made,) if paths or path_regexes or regexes else (), notes=notes)


def _lines(text: str) -> tuple[str, ...]:
    lines = (line.strip() for line in text.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def _mapping(text: str) -> dict[str, Any]:
    read = yaml.safe_load(text)
    if not isinstance(read, dict):
        raise TypeError("not a mapping")
    return read
