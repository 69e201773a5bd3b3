"""This version of stanch as users have it: a wheel, in an environment of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

CACHE = Path("~/.cache/stanch-bench").expanduser()
ROOT = Path(__file__).parents[1]


def installed() -> Path:
    """An interpreter with this version of stanch installed, and the dependencies of this one.

    An editable install would add its own finder to every start.
    """
    home = Path(CACHE) / "own"
    python = home / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    (purelib,) = home.glob("lib/python*/site-packages")
    (purelib / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    with tempfile.TemporaryDirectory(prefix="stanch-source-") as folder:
        source = Path(folder) / "stanch"  # a build would leave its traces in the tree
        for name in ("scanner", "responder", "runbooks"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, source / name, ignore=ignored)
        shutil.copytree(ROOT / "stanch", source / "stanch", symlinks=True)  # links to those
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, source / name)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall"]
        subprocess.run([*pip, str(source)], check=True, capture_output=True)
    return python
