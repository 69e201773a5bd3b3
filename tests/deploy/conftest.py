"""What pipelines fetch, on this machine: a copy of Stanch, and packages by their hashes."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
_SHIPPED = ("scanner", "responder", "runbooks", "stanch", "requirements", "docs/ci")
_SHIPPED_FILES = ("pyproject.toml", "README.md", "LICENSE", "action.yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Somebody's copy of Stanch, one commit of it, and the wheels that its locks name."""

    path: Path
    wheels: Path
    environ: dict[str, str]

    def git(self, *words: str) -> str:
        """Run git in it."""
        done = subprocess.run(
            ["git", *words], cwd=self.path, env=self.environ, check=True, capture_output=True
        )
        return done.stdout.decode().strip()


@pytest.fixture(scope="session")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A pipeline's environment, where pip finds what lies on this machine and nothing else."""
    home = tmp_path_factory.mktemp("home")
    who = {f"GIT_{role}_{what}": "a@example.org" for role in ("AUTHOR", "COMMITTER")
           for what in ("NAME", "EMAIL")}  # fmt: skip
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "STANCH_HOME": str(home / "stanch"),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_NO_INDEX": "1",
        **who,
    }


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory, environ: dict[str, str]) -> Copy:
    """A repository of what is shipped; its locks hold the hashes of wheels packed here."""
    path, wheels = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheels")
    names = ["git", "ls-files", "--", *_SHIPPED, *_SHIPPED_FILES]
    listed = subprocess.run(names, cwd=ROOT, check=True, capture_output=True, text=True)
    for name in listed.stdout.splitlines():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, path / name, follow_symlinks=False)
    for lock in ("build", "scan"):
        file = path / "requirements" / f"{lock}.txt"
        packed = [_packed(name, wheels) for name in _PINNED.findall(file.read_text())]
        file.write_text("".join(f"{line}\n" for line in packed))
    environ["PIP_FIND_LINKS"] = str(wheels)
    made = Copy(path=path, wheels=wheels, environ=environ)
    made.git("init", "-q", "-b", "main")
    made.git("add", "-A")
    made.git("commit", "-qm", "a release")
    made.git("config", "uploadpack.allowAnySHA1InWant", "true")  # as the public hosts have it
    return made


def _packed(name: str, wheels: Path) -> str:
    """Pack an installed package as a wheel again; its line for a lock."""
    found = distribution(name)
    version = found.version
    tag = re.search(r"^Tag: (\S+)$", found.read_text("WHEEL") or "", re.MULTILINE)
    path = (
        wheels / f"{re.sub('[-_.]+', '_', name)}-{version}-{tag[1] if tag else 'py3-none-any'}.whl"
    )
    record = []
    with zipfile.ZipFile(path, "w") as archive:
        for file in found.files or ():
            if file.parts[0] == ".." or file.suffix == ".pyc":
                continue
            content = found.locate_file(file)
            if file.name == "RECORD" and len(file.parts) == 2:
                inside = str(file)
                continue
            data = Path(str(content)).read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{file},sha256={digest},{len(data)}\n")
            archive.writestr(str(file), data)
        archive.writestr(inside, "".join(record) + f"{inside},,\n")
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
