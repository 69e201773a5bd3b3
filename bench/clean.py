"""Large source distributions in which nobody leaked anything."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

# Source distributions that everybody can fetch, together over a million lines.
CLEAN = ("django==5.2", "sympy==1.14.0", "sqlalchemy==2.0.41", "networkx==3.4.2")


def fetch(name: str, work: Path) -> Path | None:
    """A source distribution, unpacked."""
    target = work / name.partition("=")[0]
    target.mkdir()
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    done = subprocess.run(
        [*argv, "--no-build-isolation", "--dest", str(target), name],
        check=False,
        capture_output=True,
    )
    archive = next(target.glob("*.tar.gz"), None)
    if done.returncode or archive is None:
        return None
    with tarfile.open(archive) as opened:
        opened.extractall(target / "tree", filter="data")
    archive.unlink()
    return target / "tree"
