"""What is kept of compiled expressions is what `re` would compile, or it is not used."""

from __future__ import annotations

import marshal
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stanch.scanner.detectors.ruleset.ruleset import load_builtin
from stanch.scanner.detectors.text.regex_cache import Shelf
from stanch.scanner.local import cache

TEXT = re.compile(r"(?i)(?P<first>ab+)|[\w-]{2,9}(?=é)")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "stanch"


def kept(source: str) -> re.Pattern[str]:
    """The expression as a second run has it."""
    first = Shelf("test")
    first.pattern(source)
    first.keep()
    second = Shelf("test")
    assert not second.lacks([source])
    return second.pattern(source)


def test_every_rule_s_expression_comes_back_as_re_compiles_it(home: Path) -> None:
    first, second = Shelf("test"), Shelf("test")
    wanted = [rule.pattern.encode() for rule in load_builtin()]
    for source in wanted:
        first.pattern(source)
    first.keep()
    assert not second.lacks(wanted)
    for source in wanted:
        found, expected = second.pattern(source), re.compile(source)
        assert found == expected  # compares the matcher's program
        assert found.groupindex == expected.groupindex
        assert found.groups == expected.groups
        assert found.flags == expected.flags
    assert list(home.iterdir())


@pytest.mark.usefixtures("home")
def test_texts_and_names_of_groups_come_back_too() -> None:
    found = kept(TEXT.pattern)
    assert found == TEXT
    match = found.search("xxABB")
    assert match is not None
    assert (match["first"], match.lastgroup) == ("ABB", "first")
    assert [each[0] for each in found.finditer("ab-ngé")] == ["ab", "-ng"]


@pytest.mark.usefixtures("home")
def test_flags_make_another_expression() -> None:
    shelf = Shelf("test")
    assert shelf.pattern(b"a", re.IGNORECASE).match(b"A")
    assert not shelf.pattern(b"a").match(b"A")
    shelf.keep()
    assert shelf.pattern(b"a", re.IGNORECASE) == re.compile(b"a", re.IGNORECASE)


PROGRAM = marshal.dumps((34, [1, 99_999, 1], 0, {}))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00" * 99,
        marshal.dumps(7),
        marshal.dumps({("a+", 0): b"garbage"}),
        marshal.dumps({("a+", 0): PROGRAM}),
        marshal.dumps({("a+", 0): marshal.dumps((34, [1], "x", {}))}),
    ],
)
def test_a_broken_file_is_as_good_as_none(home: Path, body: bytes) -> None:
    assert kept("a+") == re.compile("a+")
    (file,) = home.iterdir()
    assert cache.write(home, file.name, body)
    shelf = Shelf("test")
    assert shelf.pattern("a+") == re.compile("a+")
    shelf.keep()
    assert not Shelf("test").lacks(["a+"])


@pytest.mark.usefixtures("home")
def test_a_mistake_in_an_expression_is_told_as_re_tells_it() -> None:
    with pytest.raises(re.error, match="unterminated subpattern"):
        Shelf("test").pattern(b"(a")


def test_nothing_new_writes_nothing(home: Path) -> None:
    kept("a+")
    (file,) = home.iterdir()
    before = file.stat().st_mtime_ns
    shelf = Shelf("test")
    shelf.pattern("a+")
    shelf.keep()
    assert file.stat().st_mtime_ns == before


_START = """
from stanch.scanner.detectors.text import regex_cache
from stanch.scanner.detectors import engine
from stanch.scanner.detectors.ruleset.compile import prefilter
from stanch.scanner.detectors.ruleset.ruleset import load_builtin

prefilter(load_builtin())
print(len(regex_cache._OWN._new))
"""


def test_all_expressions_of_the_scanner_are_kept_by_the_first_run(home: Path) -> None:
    surroundings = {**os.environ, "XDG_CACHE_HOME": str(home.parent)}
    new = [
        subprocess.run(
            [sys.executable, "-c", _START],
            env=surroundings,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for _ in range(2)
    ]
    assert new == ["0", "0"]  # kept at once, and found again
