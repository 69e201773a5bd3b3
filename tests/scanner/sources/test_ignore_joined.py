"""All patterns of a ``.gitignore`` in one expression say what they say one by one."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from stanch.scanner.model.fragment import Gap
from stanch.scanner.sources.files import gitignore_walk

_NAME = st.text(alphabet="abc*?[!]-.\\ #", min_size=1, max_size=6)
_PATTERN = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "!", "/", "**/", "a/"]),
        _NAME,
        st.sampled_from(["", "/", "/**", "/*", "/b"]),
    ),
)
_PART = st.text(alphabet="abc.- #", min_size=1, max_size=4).filter(
    lambda part: part.strip(".") != ""
)
_PATH = st.lists(_PART, min_size=1, max_size=4)


@given(st.lists(_PATTERN, max_size=8), st.lists(_PATH, max_size=8))
@example(["*.log", "!keep.log", "out/"], [["a", "b.log"], ["keep.log"], ["out", "x"]])
@example(["a", "a/"], [["a"]])
@example(["[[]"], [["["]])
@example(["[z-a]"], [["z"]])
def test_one_expression_decides_as_the_patterns_do(
    lines: list[str], paths: list[list[str]]
) -> None:
    rules = _rules("\n".join(lines))
    if rules is None:
        return
    for parts in paths:
        for path in ("/".join(parts), "/".join(parts) + "/"):
            assert rules.ignores(path) == bool(rules.spec.check_file(path).include)


def _rules(text: str) -> gitignore_walk._Rules | None:
    """As they are loaded; None where a pattern is not valid."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / ".gitignore").write_text(text)
        loaded = gitignore_walk._load(Path(folder), "", None)
    return loaded if isinstance(loaded, gitignore_walk._Rules) else None


def test_most_paths_are_decided_without_asking_each_pattern() -> None:
    rules = _rules("*.pyc\nbuild/\n/docs/**/x\n!keep\n")
    assert rules is not None
    assert rules.any is not None
    assert rules.any.match("src/app.py") is None
    assert rules.any.match("src/app.pyc")


def test_a_pattern_of_many_stars_is_matched_in_linear_time(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*a" * 8 + "b\n**/kept/**\n")
    (tmp_path / ("a" * 120)).touch()
    assert [*gitignore_walk.walk(tmp_path)] == [".gitignore", "a" * 120]


def test_more_patterns_than_anybody_writes_are_not_used(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.log\n" * 5001)
    (tmp_path / "a.log").touch()
    gap, *files = gitignore_walk.walk(tmp_path)
    assert files == [".gitignore", "a.log"]
    assert isinstance(gap, Gap)
    assert "more than 5000 lines" in gap.why
