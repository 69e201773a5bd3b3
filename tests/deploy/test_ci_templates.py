"""What pipelines copy: valid, pinned, and out of reach of the change that they judge."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.conftest import ROOT, Copy
from tests.scanner.conftest import github_token

pytestmark = pytest.mark.xdist_group("ci-templates")  # all share one installation
CI = ROOT / "docs" / "ci"
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
REPORTS = ("stanch.sarif", "stanch.xml", "gl-secret-detection-report.json")
_PLACEHOLDER = "<owner>/stanch@<commit>"  # no account can have that name


def _scripts(name: str) -> Iterator[str]:
    """The shell blocks of a template, as the pipeline's shell gets them."""
    text = (CI / name).read_text()
    if name == "Jenkinsfile":
        yield from re.findall(r"sh '''\n(.*?)'''", text, re.DOTALL)
        return
    found = list(_commands(yaml.safe_load(text)))
    yield from (each.replace("$$", "$") if name == "buildkite.yml" else each for each in found)


def _commands(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key in {"bash", "command", "script"}:
                yield from [value] if isinstance(value, str) else value
            elif key != "pipelines":  # what it holds stands in `definitions` already
                yield from _commands(value)
    elif isinstance(part, list):
        for each in part:
            yield from _commands(each)


TEMPLATES = {
    "Jenkinsfile": None,
    "azure-pipelines.yml": "azure-pipelines",
    "bitbucket-pipelines.yml": "bitbucket-pipelines",
    "buildkite.yml": "buildkite",
    "circleci.yml": "circle-ci",
    "gitlab.yml": "gitlab-ci",
}
each_template = pytest.mark.parametrize("name", TEMPLATES)


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ("github-actions", "action.yml"),
        ("github-workflows", "docs/ci/github.yml"),
        *((schema, f"docs/ci/{name}") for name, schema in TEMPLATES.items() if schema),
    ],
)
def test_what_pipelines_copy_is_valid(schema: str, path: str) -> None:
    transform = ("--data-transform", schema) if schema in {"gitlab-ci", "azure-pipelines"} else ()
    # Its schema has an expression that is none by the letter of the standard.
    regex = ("--regex-variant", "python") if schema == "azure-pipelines" else ()
    program = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run(
        [program, "--builtin-schema", f"vendor.{schema}", *transform, *regex, ROOT / path],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_action_names_no_input_inside_of_a_script() -> None:
    # An input between `${{ }}` in a script is run by the shell, whoever has written it.
    scripts = [step["run"] for step in ACTION["runs"]["steps"] if "run" in step]
    assert len(scripts) == 2
    assert not any("${{" in script for script in scripts)


def test_every_action_and_image_is_named_by_what_is_in_it() -> None:
    files = [ROOT / "action.yml", ROOT / "Dockerfile", ROOT / "docker-compose.yml", *CI.iterdir()]
    text = "\n".join(path.read_text() for path in files if path.suffix != ".md")
    actions = set(re.findall(r"uses: (\S+)", text)) - {_PLACEHOLDER}
    assert len(actions) == 3
    assert [each for each in actions if not re.search(r"@[0-9a-f]{40}$", each)] == []
    images = set(re.findall(r"(?:image:|FROM) (\S+)", text))
    ours = {each for each in images if each.startswith("stanch:")}
    loose = [each for each in images - ours if not re.search(r"@sha256:[0-9a-f]{64}$", each)]
    assert len(images - ours) == 4
    assert loose == []


def test_no_template_takes_a_package_by_its_name() -> None:
    for path in (ROOT / "action.yml", *CI.iterdir()):
        assert not re.search(r"(pip|pipx|uvx?)\b[^\n]* stanch\b", path.read_text()), path


@each_template
def test_all_templates_fetch_in_the_same_way(name: str) -> None:
    (script,), (first, *_) = _scripts(name), _scripts("gitlab.yml")
    common = [line.strip() for line in first.splitlines()[:7]]
    assert [line.strip() for line in script.splitlines()[:7]] == common


# -- a hostile change ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """A change that brings a leak, and whatever the gate could run or follow instead of its own."""

    place: Path
    victim: Path  # a file outside of the checkout, which the change has links to
    ran: Path  # what a file of the change makes if it is run

    def held(self) -> None:
        """Nothing of it ran, and no report went where its links lead."""
        assert not self.ran.exists(), self.ran.read_text()
        assert self.victim.read_text() == "# mine\n"


def _hostile(folder: Path, environ: dict[str, str]) -> Hostile:
    made = Hostile(place=folder / "checkout", victim=folder / "profile", ran=folder / "it-ran")
    made.victim.write_text("# mine\n")
    made.place.mkdir()

    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=made.place, env=environ, check=True)

    git("init", "-q", "-b", "main")
    git("commit", "-q", "--allow-empty", "-m", "first")
    git("checkout", "-q", "-b", "topic")
    python = f"open({str(made.ran)!r}, 'a').write(__file__)\nraise SystemExit(0)\n"
    modules = ("venv", "pip", "ensurepip", "setuptools", "sitecustomize", "usercustomize", "json")
    for module in (*modules, "click", "setup", "stanch/__init__", "stanch/__main__", "scanner/api"):
        _write(made.place / f"{module}.py", python)
    shell = f"#!/bin/sh\necho $0 >> {made.ran}\n"
    for folder_name in (".stanch", ".venv", "stanch", "venv"):
        for program in ("python", "python3", "pip", "stanch"):
            _write(made.place / folder_name / "bin" / program, shell)
    for program in ("python3", "git", "mktemp", "docs/ci/install.sh"):
        _write(made.place / program, shell)
    _write(made.place / "requirements" / "scan.txt", "nothing==0\n")
    for name in REPORTS:
        (made.place / name).symlink_to(made.victim)
    _write(made.place / "leak.env", f"TOKEN={github_token(1)}\n")
    git("add", "-Af")
    git("commit", "-q", "-m", "a change")
    return made


@pytest.fixture
def hostile(tmp_path: Path, copy: Copy) -> Hostile:
    return _hostile(tmp_path, copy.environ)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def _run(script: str, place: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(
        shell, cwd=place, env=environ, check=False, capture_output=True, text=True, timeout=100
    )


# -- the action ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What a run of the action came to."""

    code: int
    said: str
    temp: Path
    hostile: Hostile


def _action(copy: Copy, folder: Path) -> Gate:
    """Run the action's shell blocks one after the other, as a runner does."""
    temp, hostile = folder / "runner", _hostile(folder, copy.environ)
    temp.mkdir()
    environ = {
        **copy.environ,
        "ACTION": str(copy.path),
        "RUNNER_TEMP": str(temp),
        "GITHUB_OUTPUT": str(temp / "output"),
        "MIN_CONFIDENCE": "medium",
        "FINGERPRINT_KEY": "",
        "STANCH_WAIVER_KEY": "",
        "STANCH_CI_WAIVERS": "",
    }
    code, said = 0, ""
    for step in ACTION["runs"]["steps"]:
        if "run" in step and code == 0:
            done = _run(step["run"], hostile.place, environ)
            code, said = done.returncode, said + done.stdout + done.stderr
    return Gate(code=code, said=said, temp=temp, hostile=hostile)


@pytest.fixture(scope="session")
def gate(copy: Copy, tmp_path_factory: pytest.TempPathFactory) -> Gate:
    """The action, run once over a hostile change."""
    return _action(copy, tmp_path_factory.mktemp("action"))


def test_the_action_installs_by_hash_and_runs_nothing_of_the_change(gate: Gate) -> None:
    assert gate.code == 1, gate.said
    assert "leak.env" in gate.said
    gate.hostile.held()
    assert (gate.temp / "output").read_text() == f"sarif-file={gate.temp}/stanch.sarif\n"
    assert (gate.temp / "stanch.sarif").stat().st_size > 0


def test_another_package_of_the_same_name_and_version_is_not_installed(
    copy: Copy, tmp_path: Path
) -> None:
    wheels = tmp_path / "wheels"
    shutil.copytree(copy.wheels, wheels, copy_function=os.link)
    (click,) = wheels.glob("click-*")
    content = click.read_bytes() + b"\0"
    click.unlink()  # not its other name
    click.write_bytes(content)
    environ = copy.environ | {"PIP_FIND_LINKS": str(wheels)}
    gate = _action(Copy(path=copy.path, wheels=wheels, environ=environ), tmp_path)
    assert gate.code == 1, gate.said
    assert "DO NOT MATCH THE HASHES" in gate.said
    assert "checked" not in gate.said


# -- the templates -------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def prepared(copy: Copy, gate: Gate, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The copy, with a commit that uses the environment which the action has made before."""
    path = tmp_path_factory.mktemp("prepared")
    shutil.copytree(copy.path, path, dirs_exist_ok=True, symlinks=True)
    made = Copy(path=path, wheels=copy.wheels, environ=copy.environ)
    _write(path / "python", f'#!/bin/sh\nexec {gate.temp}/stanch/bin/python "$@"\n')
    script = 'mkdir -p "$1/bin" && cp "$(dirname "$0")/../../python" "$1/bin/python"\n'
    _write(path / "docs" / "ci" / "install.sh", script)
    made.git("add", "-A")
    made.git("commit", "-qm", "prepared")
    return made


@each_template
def test_nothing_of_a_change_runs_in_its_gate(
    name: str, prepared: Copy, hostile: Hostile, tmp_path: Path
) -> None:
    environ = {
        **prepared.environ,
        "STANCH_REPOSITORY": str(prepared.path),
        "STANCH_COMMIT": prepared.git("rev-parse", "HEAD"),
        "AGENT_TEMPDIRECTORY": str(tmp_path),
        "TMPDIR": str(tmp_path),
    }
    (script,) = _scripts(name)
    done = _run(script.replace("/tmp/", f"{tmp_path}/"), hostile.place, environ)
    assert done.returncode == 1, done.stderr
    assert "leak.env" in done.stderr
    hostile.held()
    for report in re.findall(r"--report \"?\w+=(\S*?)\"?(?:\s|$)", script):
        written = (tmp_path if "/" in report else hostile.place) / Path(report).name
        assert written.is_file()
        assert not written.is_symlink()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("tmp.")] == []


@pytest.mark.parametrize("commit", ["", "main", "f" * 40, "f" * 7])
def test_nothing_runs_but_the_commit_that_is_named(
    commit: str, prepared: Copy, tmp_path: Path
) -> None:
    environ = {
        **prepared.environ,
        "STANCH_REPOSITORY": str(prepared.path),
        "STANCH_COMMIT": commit,
        "TMPDIR": str(tmp_path),
    }
    (script,) = _scripts("gitlab.yml")  # all fetch in the same way
    done = _run(script, tmp_path, environ)
    assert done.returncode != 0
    assert "checked" not in done.stderr
    if not commit:
        assert "STANCH_COMMIT: its commit, all 40 digits" in done.stderr
