"""A repository with a past: a key was committed, and "removed" in the next commit."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

_IDENTITY = {"name": "Dana Developer", "email": "dana@payments.example"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit: how long ago, why, and the files it writes."""

    ago: timedelta
    message: str
    files: Mapping[str, str]


def leaky_history(access_key_id: str, secret: str) -> tuple[Commit, ...]:
    """A small project whose deploy script once held the key; the tip is clean."""
    script = "#!/bin/sh\nset -eu\n{}aws s3 sync build s3://payments-prod-artifacts/releases\n"
    keys = f"export AWS_ACCESS_KEY_ID={access_key_id}\nexport AWS_SECRET_ACCESS_KEY={secret}\n"
    return (
        Commit(
            ago=timedelta(days=12),
            message="Start the payments service",
            files={"README.md": "# payments\n", "app.py": "print('paid')\n"},
        ),
        Commit(
            ago=timedelta(days=9, hours=2),
            message="Deploy from the pipeline",
            files={"deploy/release.sh": script.format(keys)},
        ),
        Commit(
            ago=timedelta(days=9, hours=1),
            message="Remove credentials",
            files={"deploy/release.sh": script.format("")},
        ),
        Commit(
            ago=timedelta(days=4),
            message="Explain the deployment",
            files={"README.md": "# payments\n\nDeploys itself on every tag.\n"},
        ),
        Commit(
            ago=timedelta(days=1),
            message="Print the amount",
            files={"app.py": "print('paid', 42)\n"},
        ),
    )


def build(folder: Path, history: tuple[Commit, ...], *, now: datetime) -> Path:
    """Write the history into a new git repository in ``folder``; returns the folder."""
    folder.mkdir(parents=True)
    _git(folder, now, "init", "--quiet", "--initial-branch=main")
    for commit in history:
        for name, text in commit.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        _git(folder, now - commit.ago, "add", "--all")
        _git(folder, now - commit.ago, "commit", "--quiet", "--message", commit.message)
    return folder


def _git(folder: Path, at: datetime, *arguments: str) -> None:
    """Run git with nothing of the user's own configuration."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    for role in ("AUTHOR", "COMMITTER"):
        environment[f"GIT_{role}_NAME"] = _IDENTITY["name"]
        environment[f"GIT_{role}_EMAIL"] = _IDENTITY["email"]
        environment[f"GIT_{role}_DATE"] = at.isoformat()
    subprocess.run(["git", *arguments], cwd=folder, env=environment, check=True)
