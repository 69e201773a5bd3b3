"""What is shipped: the wheel works without the source tree, and what it needs is pinned."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest

from stanch.responder.cli.main import SECTIONS

ROOT = Path(__file__).parents[1]
ROOMS = ("scanner", "responder", "runbooks")


def tracked() -> list[Path]:
    """The files of the project, relative to its root; without git, those of an unpacked archive."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, text=True
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    names = [Path(name) for name in listed.stdout.split("\0") if name]
    return [name for name in names if (ROOT / name).is_file()]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of what git tracks, built in a copy: building litters the source tree."""
    source = tmp_path_factory.mktemp("source")
    for name in tracked():
        if name.parts[0] in {*ROOMS, "stanch", "pyproject.toml", "README.md", "LICENSE"}:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    for room in ROOMS:
        (source / "stanch" / room).symlink_to(Path("..", room))
    out = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-build-isolation", "--wheel-dir", str(out), str(source))
    (found,) = out.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `stanch` of a fresh environment that has the wheel, and the dependencies of this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    pip("--python", str(python), "install", str(wheel))
    (site,) = folder.glob("lib/python*/site-packages")
    # A plain path: the .pth files there, and so the editable install, are not read.
    (site / "borrowed.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return folder / "bin" / "stanch"


def pip(*arguments: str) -> None:
    offline = ("--no-index", "--no-deps", "--quiet", "--disable-pip-version-check")
    first = 2 if arguments[0] == "--python" else 0
    words = [*arguments[: first + 1], *offline, *arguments[first + 1 :]]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_file_of_the_packages_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        shipped = set(archive.namelist())
    wanted = {f"stanch/{name}" for name in tracked() if name.parts[0] in ROOMS}
    wanted |= {str(name) for name in tracked() if name.parts[0] == "stanch" and name.suffix}
    assert wanted - shipped == set()
    extra = {name for name in shipped - wanted if ".dist-info/" not in name}
    assert extra == set()


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["--version"], "stanch, version 0."),
        (["rules", "list"], "abstract-api-key"),
        (["runbooks", "check"], "sound"),
        (["incidents"], "no open incidents"),  # opens a store: migrations
        (["audit", "verify"], "0 entries sound"),
        (["demo", "--help"], "Exit codes"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_installed_command_works_without_the_source_tree(
    installed: Path, tmp_path: Path, words: list[str], shown: str
) -> None:
    done = run(installed, *words, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert shown in done.stdout


def test_the_scanner_imports_what_the_core_brings_and_nothing_else() -> None:
    imported = {
        word.partition(".")[0]
        for path in (ROOT / "scanner").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for word in imports(node)
    }
    provided = packages_distributions()
    newer = {"compression"}  # of the standard library, from 3.14
    extras = {"boto3", "botocore"}  # of `sources/image/ecr.py`, which says how to get them
    foreign = imported - set(sys.stdlib_module_names) - newer - extras - {"stanch"}
    needed = {normal(provided[each][0]) for each in foreign}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert needed == {normal(re.split(r"[\[<>=~! ;]", line)[0]) for line in project["dependencies"]}


def imports(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [each.name for each in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


@pytest.fixture(scope="session")
def core(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `stanch` of a fresh environment with the wheel and the core's dependencies alone."""
    folder = tmp_path_factory.mktemp("core")
    venv.create(folder, with_pip=False, symlinks=True)
    pip("--python", str(folder / "bin" / "python"), "install", str(wheel))
    (site,) = folder.glob("lib/python*/site-packages")
    for name in names((ROOT / "requirements" / "scan.txt").read_text()):
        for file in distribution(name).files or ():
            top = file.parts[0]
            if top != ".." and not (site / top).exists():
                (site / top).symlink_to(Path(str(distribution(name).locate_file(top))))
    return folder / "bin" / "stanch"


def test_the_core_alone_finds(core: Path, tmp_path: Path) -> None:
    commit = ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "first"]
    for git in (["init", "-q", "-b", "main"], [*commit, "--allow-empty"]):
        subprocess.run(["git", *git], cwd=tmp_path, check=True)
    accept = ["create", "--reason", "none yet", "--expires", "30d"]
    for words in (["rules", "list"], ["scan", "."], ["hook", "run"], ["ci"], ["baseline", *accept]):
        done = run(core, *words, folder=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "command", [name for part in ("Respond", "Run") for name in SECTIONS[part]]
)
def test_the_core_alone_says_what_a_responders_command_needs(
    core: Path, tmp_path: Path, command: str
) -> None:
    done = run(core, command, folder=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    first, remedy = done.stderr.splitlines()
    assert first.startswith(f"error: `stanch {command}` needs stanch[respond] (")
    assert remedy.startswith("  help: pipx install --force '/path/to/the/checkout[respond]'")


def test_the_map_says_what_the_core_alone_lacks(
    core: Path, installed: Path, tmp_path: Path
) -> None:
    headings = {"Respond (needs stanch[respond]):", "Run (needs stanch[respond]):"}
    assert headings <= set(run(core, "--help", folder=tmp_path).stdout.splitlines())
    assert "needs" not in run(installed, "--help", folder=tmp_path).stdout


def test_templates_and_lab_are_loaded_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    code = (
        "import stanch.responder.postmortem.render as r, stanch.responder.lab.aws as lab\n"
        "from importlib.resources import files\n"
        "names = [f.name for f in (files('stanch.responder.postmortem') / 'templates').iterdir()]\n"
        "print(r.__file__); print(sorted(names))"
    )
    done = run(installed.with_name("python"), "-c", code, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert str(installed.parents[1]) in done.stdout
    assert "postmortem.html.j2" in done.stdout


def run(program: Path, *words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(program), *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "STANCH_HOME": str(folder / "home")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def names(requirements: str) -> set[str]:
    """The normalised names of a pinned file, each held to one version and a hash."""
    found = set()
    for block in re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"(?m)^\s*#.*\n?", "", requirements)):
        if not block.strip():
            continue
        match = re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", block)
        assert match, f"not pinned: {block[:80]}"
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), f"no hash: {match[1]}"
        found.add(normal(match[1]))
    return found


def normal(name: str) -> str:
    """As the packaging standards compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize(
    "path", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda p: p.name
)
def test_pinned_requirements_have_hashes_and_no_index_address(path: Path) -> None:
    text = path.read_text()
    assert names(text)
    assert not re.search(r"(?m)^\s*(--|-[if]\b)(?!-?hash)", re.sub(r"--hash=\S+", "", text))
    assert "://" not in text


def test_what_pyproject_asks_for_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    core, extras = project["dependencies"], project["optional-dependencies"]
    runtime = [*core, *extras["respond"]]
    lab = [*runtime, *extras["lab"]]
    wanted = {"scan": core, "runtime": runtime, "lab": lab, "test": [*lab, *extras["test"]]}
    for file, asked in wanted.items():
        pinned = names((ROOT / "requirements" / f"{file}.txt").read_text())
        asked_names = {normal(re.split(r"[\[<>=~! ;]", line)[0]) for line in asked}
        assert asked_names - {"stanch"} - pinned == set(), file


def asked(file: str) -> set[str]:
    """The names in a `.in` file, those of the files that it takes in as well."""
    found = set()
    for line in (ROOT / "requirements" / f"{file}.in").read_text().splitlines():
        words = line.partition("#")[0].split()
        if words[:1] == ["-r"]:
            found |= asked(words[1].removesuffix(".in"))
        elif words:
            found.add(normal(re.split(r"[\[<>=~! ;]", words[0])[0]))
    return found


@pytest.mark.parametrize("file", ["build", "scan", "runtime", "lab", "test"])
def test_what_is_asked_for_is_pinned_as_asked_for(file: str) -> None:
    """A name that came in otherwise goes with whatever brought it: `make lock` says who asks."""
    text = (ROOT / "requirements" / f"{file}.txt").read_text()
    said = set()
    for block in re.split(r"\n(?=[A-Za-z0-9])", text):
        if re.search(r"#\s+(?:via )?-r requirements/\w+\.in", block):
            said.add(normal(re.split(r"[\[=]", block)[0]))
    assert said == asked(file)


def test_pyproject_and_the_requirements_ask_for_the_same() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    scan = project["dependencies"]
    runtime = [*scan, *extras["respond"]]
    lab = [*runtime, *extras["lab"]]
    wanted = {"scan": scan, "runtime": runtime, "lab": lab, "test": [*lab, *extras["test"]]}
    for file, lines in wanted.items():
        given = {normal(re.split(r"[\[<>=~! ;]", line)[0]) for line in lines} - {"stanch"}
        assert given == asked(file), file


def test_no_tracked_file_names_a_machine_or_a_registry() -> None:
    # Rules and their links speak of registries as providers; what installs must name none.
    registries = ("index" + "-url", "find" + "-links", "python" + "hosted", "nexus" + ".")
    machine = re.compile(rb"(?<![\w.}~-])/(?:root|home/[a-z]\w*|Users/\w+|" + rb"work)/[\w.]")
    wrong = []
    for name in tracked():
        content = (ROOT / name).read_bytes()
        wrong += [f"{name}: {host}" for host in registries if host.encode() in content]
        wrong += [f"{name}: {found.decode()}" for found in machine.findall(content)]
    assert wrong == []


def test_our_own_scanner_is_quiet_on_our_own_tree() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stanch", "scan", str(ROOT), "--no-history"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", ["README.md", "docs/hooks.md", "CHANGELOG.md"])
def test_pages_count_the_packages_that_the_core_brings(page: str) -> None:
    lock = (ROOT / "requirements" / "scan.txt").read_text(encoding="utf-8")
    count = len(re.findall(r"^[a-z0-9.-]+==", lock, re.MULTILINE))
    assert f"{count} packages" in (ROOT / page).read_text(encoding="utf-8")
