"""A file that grows is read once, whole lines at a time, also when it is rotated or emptied."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from stanch.responder.watch import follow
from tests.responder.watch.conftest import Post, Watches

Token = Callable[[int], str]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


@pytest.fixture
def post(path: Path, watching: Watches) -> Post:
    return watching("[watch.app]", 'kind = "file"', f'of = "{path}"')


def look(post: Post) -> bool:
    for source in post.sources():
        post.due(source.subject)
    return post.look()


def test_what_is_added_is_found_at_its_line(path: Path, post: Post, token: Token) -> None:
    path.write_text(f"one\ntwo {token(1)}\n")
    assert look(post)
    with path.open("a") as file:
        file.write(f"three\nfour {token(2)}\n")
    assert look(post)
    assert post.places() == [f"{path}:2", f"{path}:4"]
    before = post.source(str(path)).cursor
    assert look(post)
    assert post.source(str(path)).cursor == before


def test_a_line_that_has_not_ended_is_waited_for(path: Path, post: Post, token: Token) -> None:
    whole = f"key {token(1)}"
    path.write_text(whole[:20])
    assert look(post)
    path.write_text(f"{whole}\n")
    assert look(post)
    assert post.places() == [f"{path}:1"]


def test_lines_are_counted_beyond_what_is_read_once_more(
    path: Path, post: Post, token: Token
) -> None:
    path.write_text("".join(f"line {n} of many\n" for n in range(4000)))
    assert look(post)
    with path.open("a") as file:
        file.write(f"key {token(1)}\n")
    assert look(post)
    assert post.places() == [f"{path}:4001"]
    cursor = post.source(str(path)).cursor
    assert isinstance(cursor["offset"], int)
    assert isinstance(cursor["start"], int)
    assert 0 < cursor["offset"] - cursor["start"] <= 16 << 10


def test_what_was_written_before_a_rotation_is_read_from_the_old_file(
    path: Path, post: Post, token: Token
) -> None:
    path.write_text("one\n")
    assert look(post)
    with path.open("a") as file:
        file.write(f"two {token(1)}")  # without an end: nobody will add one
    path.rename(path.with_suffix(".log.1"))
    path.write_text(f"new {token(2)}\n")
    assert look(post)
    assert post.places() == [f"{path}:2", f"{path}:1"]
    assert post.source(str(path)).gap == ""


def test_an_old_file_that_is_gone_is_said(path: Path, post: Post) -> None:
    path.write_text("one\n")
    assert look(post)
    other = path.with_name("other")
    other.write_text("two\n")
    other.replace(path)
    assert look(post)
    with post.house.store.snapshot() as tx:
        (said,) = tx.sources.suspicions()
    assert "its last lines were not read" in said.reason


def test_an_emptied_file_begins_anew(path: Path, post: Post, token: Token) -> None:
    path.write_text("a long line at the beginning of it\n")
    assert look(post)
    path.write_text(f"{token(1)}\n"[:41])
    os.truncate(path, 0)
    assert look(post)
    path.write_text(f"{token(1)}\n")
    assert look(post)
    assert post.places() == [f"{path}:1"]


def test_more_than_one_look_can_read_follows_at_once(
    path: Path, post: Post, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "MOST", 40_000)
    path.write_text("".join(f"line {n} of many\n" for n in range(6000)) + f"key {token(1)}\n")
    looks = 0
    while not post.places():
        assert look(post)
        looks += 1
        assert looks < 10
    assert post.places() == [f"{path}:6001"]
    assert looks > 2


def test_what_is_no_file_says_so(path: Path, post: Post) -> None:
    assert not look(post)
    assert "No such file" in post.source(str(path)).error
    path.mkdir()
    assert not look(post)
    assert post.source(str(path)).error == f"{path} is a directory; name a file"
    path.rmdir()
    os.mkfifo(path)
    assert not look(post)
    assert "is no regular file" in post.source(str(path)).error


def test_what_the_system_refuses_while_it_is_read_is_said(watching: Watches) -> None:
    memory = "/proc/self/mem"  # a regular file that nobody can read from its beginning
    post = watching("[watch.app]", 'kind = "file"', f'of = "{memory}"')
    assert not look(post)
    assert post.source(memory).error == f"{memory} cannot be read: Input/output error"


def test_from_now_on_means_from_the_end(path: Path, watching: Watches, token: Token) -> None:
    path.write_text(f"old {token(1)}\n")
    post = watching("[watch.app]", 'kind = "file"', f'of = "{path}"', 'begin = "now"')
    assert look(post)
    with path.open("a") as file:
        file.write(f"new {token(2)}\n")
    assert look(post)
    assert len(post.places()) == 1


def test_a_stream_that_suddenly_holds_encoded_text_is_a_question_once(
    path: Path, post: Post
) -> None:
    plain = "".join(f"request {n} was answered in {n % 90} ms\n" for n in range(250))
    path.write_text("")
    for _ in range(6):
        with path.open("a") as file:
            file.write(plain)
        assert look(post)
    with post.house.store.snapshot() as tx:
        assert tx.sources.suspicions() == ()
    for _ in range(2):
        with path.open("a") as file:
            file.write(plain + f"dump {os.urandom(6000).hex()}\n")
        assert look(post)
    with post.house.store.snapshot() as tx:
        (found,) = tx.sources.suspicions()
    assert "of the text is encoded" in found.reason
    assert post.incidents() == []
