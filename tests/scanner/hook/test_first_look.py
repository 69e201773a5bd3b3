"""A first look may say that there is nothing only where the whole hook would say so too."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.detectors.engine import Engine
from stanch.scanner.detectors.example import generate
from stanch.scanner.detectors.outline import Sources
from stanch.scanner.detectors.ruleset import load_builtin
from stanch.scanner.hook import glance
from stanch.scanner.model.fingerprint import FingerprintKey
from stanch.scanner.model.fragment import Fragment
from stanch.scanner.model.provenance import InIndex
from stanch.scanner.model.secret import SecretValue
from stanch.scanner.sources import shadow
from stanch.scanner.sources.bound import WINDOW

Token = Callable[[int], str]
_HARMLESS = "def area(width, height):\n    return width * height\n"
_EXPRESSION = "def enter(user):\n    password = user.ask_for(prompt)\n    return check(password)\n"


@pytest.fixture(scope="module")
def engine() -> Engine:
    """Also leaves compiled rules in the cache."""
    return Engine(load_builtin(), FingerprintKey(SecretValue(b"\x07" * 32)))


@pytest.fixture
def at(place: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[..., bool]:
    """The first look in the repository, as a process that starts there would have it."""
    assert engine.rules
    monkeypatch.chdir(place)

    def look(*arguments: str, **environ: str) -> bool:
        return glance.nothing(arguments or ("pre-commit",), os.environ | environ)

    return look


def test_what_the_engine_finds_the_first_look_never_calls_nothing(
    place: Path, engine: Engine
) -> None:
    """In every example of every rule, and in what only looks like one."""
    templates = sorted({each for rule in engine.rules for each in (*rule.match, *rule.reject)})
    look = glance.look_at(str(place))
    quiet = 0
    paths = ("example", "app.py", "deploy/settings.yaml", "tests/test_it.py", "yarn.lock")
    for number, template in enumerate(templates):
        data = generate(template, number % 3)
        path = paths[number % len(paths)]
        matches = list(engine.scan(Fragment(data=data, provenance=InIndex(path=path))))
        if glance.is_empty(look, data, path):
            quiet += 1
            assert matches == [], template
    assert 0 < quiet < len(templates)


def test_a_colour_between_a_name_and_its_value_deceives_neither_look(
    place: Path, engine: Engine
) -> None:
    data = generate("db_password\x1b[0m: \x1b[1m{password}\x1b[0m", 1)
    assert list(engine.scan(Fragment(data=data, provenance=InIndex(path="build.log"))))
    assert not glance.is_empty(glance.look_at(str(place)), data, "build.log")


def test_a_harmless_change_is_settled_by_the_first_look(ann: Any, place: Path, at: Any) -> None:
    (place / "shape.py").write_text(_HARMLESS)
    (place / "enter.py").write_text(_EXPRESSION)
    (place / "blob.bin").write_bytes(b"\x00\x01" * 500)
    (place / "link").symlink_to("shape.py")
    ann.git("add", ".", cwd=place)
    assert at("pre-commit")
    assert at("run")
    assert at("run", "--staged")
    assert at("run", "shape.py")


def test_a_staged_token_is_seen_wherever_git_keeps_it(
    ann: Any, place: Path, at: Any, token: Token
) -> None:
    (place / "a.env").write_text(f"T={token(30)}\n")
    ann.git("add", ".", cwd=place)
    assert not at("pre-commit")
    assert not at("run", "a.env")
    ann.git("commit", "-q", "-m", "a", cwd=place)
    (place / "b.env").write_text(f"T={token(30)}\n")
    ann.git("repack", "-adq", cwd=place)  # the object has no file of its own any more
    ann.git("prune-packed", cwd=place)
    ann.git("add", ".", cwd=place)
    assert not at("pre-commit")


def test_the_index_that_git_names_is_the_one_that_is_looked_at(
    ann: Any, place: Path, at: Any, token: Token
) -> None:
    (place / "a.env").write_text(f"T={token(31)}\n")
    ann.run("git", "add", ".", cwd=place, GIT_INDEX_FILE=".git/other")
    assert at("pre-commit")
    assert not at("pre-commit", GIT_INDEX_FILE=".git/other")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("stanch.toml", ""),
        ("pyproject.toml", "[tool.stanch.scan]\n"),
        ("pyproject.toml", '[tool."st\\u0061nch".scan]\n'),
    ],
)
def test_where_something_is_configured_the_whole_hook_runs(
    place: Path, at: Any, name: str, text: str
) -> None:
    (place / "shape.py").write_text(_HARMLESS)
    assert at("run", "shape.py")
    (place / name).write_text(text)
    assert not at("run", "shape.py")
    (place / name).unlink()
    (place / "pyproject.toml").write_text("[project]\n")
    assert at("run", "shape.py")


def test_what_is_out_of_the_ordinary_is_left_to_the_whole_hook(
    ann: Any, place: Path, at: Any, tmp_path: Path
) -> None:
    (place / "large").write_text("harmless \n" * (WINDOW // 9))
    (place / "wide").write_text("harmless\n", encoding="utf-16")
    (place / "folder").mkdir()
    os.mkfifo(place / "pipe")
    for name in ("large", "wide", "folder", "pipe", "gone", "../place/README", "/dev/null"):
        assert not at("run", name), name
    assert not at("run", "--exclude-lines", "x", "README")
    assert not at("pre-push")
    for name in ("large", "wide"):
        ann.git("add", name, cwd=place)
        assert not at("pre-commit"), name
        ann.git("reset", "-q", cwd=place)
    assert at("pre-commit")
    assert not at("pre-commit", GIT_OBJECT_DIRECTORY=str(tmp_path))
    assert not at("pre-commit", GIT_INDEX_FILE="README")


def _loose(ann: Any, place: Path) -> None:
    assert ann.git("rev-parse", "HEAD", cwd=place).returncode == 0
    assert (place / ".git" / "refs" / "heads" / "main").exists()


def _packed(ann: Any, place: Path) -> None:
    ann.git("pack-refs", "--all", cwd=place)
    assert not (place / ".git" / "refs" / "heads" / "main").exists()


def _packed_long_ago(ann: Any, place: Path) -> None:
    _packed(ann, place)
    (place / "a.env").unlink()
    ann.git("commit", "-q", "-a", "-m", "now", cwd=place)


def _detached(ann: Any, place: Path) -> None:
    ann.git("checkout", "-q", "--detach", cwd=place)


def _deep(ann: Any, place: Path) -> None:
    ann.git("checkout", "-q", "-b", "one/two/\u00e9", cwd=place)


@pytest.mark.parametrize("arrange", [_loose, _packed, _packed_long_ago, _detached, _deep])
def test_what_head_has_already_is_known_wherever_git_keeps_head(
    ann: Any, place: Path, at: Any, token: Token, arrange: Callable[..., None]
) -> None:
    (place / "a.env").write_text(f"T={token(32)}\n")
    ann.git("add", ".", cwd=place)
    ann.git("commit", "-q", "-m", "leak", cwd=place)
    arrange(ann, place)
    (place / "b.py").write_text(_HARMLESS)
    ann.git("add", "b.py", cwd=place)
    assert at("pre-commit")
    (place / "b.py").write_text(f"T={token(33)}\n")
    ann.git("add", "b.py", cwd=place)
    assert not at("pre-commit")


@pytest.mark.parametrize("said", ["ref: refs/tags/v1", "ref: refs/heads/../main", "", "x" * 40])
def test_a_head_that_is_not_read_like_this_is_left_to_the_whole_hook(
    place: Path, at: Any, said: str
) -> None:
    assert at("pre-commit")
    (place / ".git" / "HEAD").write_text(f"{said}\n")
    assert not at("pre-commit")


def test_a_branch_that_is_a_link_or_points_on_is_left_to_the_whole_hook(
    place: Path, at: Any
) -> None:
    heads = place / ".git" / "refs" / "heads"
    (heads / "main").rename(heads / "other")
    (heads / "main").symlink_to("other")
    assert not at("pre-commit")
    (heads / "main").unlink()
    (heads / "main").write_text("ref: refs/heads/other\n")
    assert not at("pre-commit")


def test_other_hashes_are_left_to_the_whole_hook(
    ann: Any, tmp_path: Path, at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = tmp_path / "wide"
    ann.git("init", "-q", "--object-format=sha256", wide, cwd=tmp_path)
    (wide / "a.py").write_text(_HARMLESS)
    ann.git("add", ".", cwd=wide)
    ann.git("commit", "-q", "-m", "a", cwd=wide)
    monkeypatch.chdir(wide)
    assert not at("pre-commit")


def test_git_s_folder_that_is_shipped_says_what_one_that_is_made_says() -> None:
    skeleton = Path(shadow.SKELETON)
    assert (skeleton / "config").read_text() == shadow._configuration(sha256=False)
    assert sorted(each.name for each in skeleton.iterdir()) == ["HEAD", "config", "refs"]


def test_before_the_first_commit_the_whole_hook_runs(
    ann: Any, tmp_path: Path, at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    assert not at("pre-commit")
    ann.git("init", "-q", cwd=empty)
    assert not at("pre-commit")


def test_nothing_is_left_behind(at: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    assert at("pre-commit")
    assert not at("pre-commit", GIT_INDEX_FILE="README")
    assert list(temporary.iterdir()) == []
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before


def test_the_first_look_loads_next_to_nothing(ann: Any, place: Path, engine: Engine) -> None:
    assert engine.rules
    (place / "shape.py").write_text(_HARMLESS)
    ann.git("add", ".", cwd=place)
    folders = [str(Path(__file__).parents[3]), sysconfig.get_paths()["purelib"]]
    code = (
        f"import sys; sys.path += {folders}\n"
        "before = set(sys.modules)\n"
        "import os; import stanch.scanner.hook.early\n"
        "assert stanch.scanner.hook.early.nothing(['pre-commit'], os.environ)\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = ann.run(sys.executable, "-S", "-P", "-c", code, cwd=place)
    loaded = {each for each in done.stdout.split() if not each.startswith("scanner")}
    assert loaded <= {
        "genericpath", "hyperscan._hs_ext", "os", "os.path", "posixpath",
        "gc", "stat", "_stat", "zlib", "_collections_abc", "__future__",
    }, loaded  # fmt: skip
    assert "hyperscan._hs_ext" in loaded, done.stderr


def test_a_changed_rule_file_is_not_answered_from_the_outline(tmp_path: Path) -> None:
    rules = tmp_path / "own.yaml"
    rules.write_text("provider: one\n")
    before = Sources([str(rules)])
    assert Sources([str(rules)]).stamps == before.stamps
    times = rules.stat().st_atime_ns, rules.stat().st_mtime_ns
    rules.write_text("provider: two\n")
    os.utime(rules, ns=times)  # of the same length, and as old
    assert Sources([str(rules)]).stamps != before.stamps
