"""What was not read is never clean: each way in which git can keep silent, and what a scan says."""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import os
import shutil
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.api import FingerprintKey, Match, Scanner, SecretValue, SourceError
from stanch.scanner.hook.change import commit_changes
from stanch.scanner.local import cache
from stanch.scanner.sources.git import diff_tree
from stanch.scanner.sources.git.blob_reader import Blob, BlobReader
from stanch.scanner.sources.git.bounds import Bounds
from stanch.scanner.sources.git.commit_metadata import placed
from stanch.scanner.sources.git.discovery import at
from stanch.scanner.sources.git.repository import OVERDRAWN, opened

Scan = Callable[..., Any]
Token = Callable[[int], str]


def _sha1(data: bytes | bytearray) -> Any:
    return hashlib.sha1(data, usedforsecurity=False)


def _object(repo: Any, oid: str) -> Path:
    path = Path(repo.path) / ".git" / "objects" / oid[:2] / oid[2:]
    path.chmod(0o644)
    return path


def _kept(folder: Path, repo: Any, path: str = "") -> tuple[list[str], Any]:
    """Where a scan with a memory finds something, and the scan."""
    key = FingerprintKey(SecretValue(bytes(32)))
    scanner = Scanner(key=key, processes=1, history_folder=folder)
    scan = scanner.scan_path(repo.path / path, worktree=False, history=True, parts=False)
    return [each.finding.path for each in scan if isinstance(each, Match)], scan


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("damage", ["empty", "noise", "gone", "tag of it"])
def test_refs_behind_a_broken_one_are_read(
    repo: Any, scan: Scan, token: Token, damage: str, *, packed: bool
) -> None:
    repo.commit("readme", "x")
    repo.git("checkout", "-qb", "zz-leak")
    repo.commit("a.txt", token(1))
    repo.git("checkout", "-qb", "aa-broken", "main")
    broken = repo.commit("b.txt", "y")
    repo.git("checkout", "-q", "main")
    if damage == "tag of it":
        repo.git("tag", "-a", "-m", "x", "outer", "aa-broken")
        repo.git("tag", "-a", "-m", "x", "outer2", "outer")
    if packed:
        repo.git("pack-refs", "--all")
    file = _object(repo, broken)
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(b"" if damage == "empty" else os.urandom(200))
    outcome = scan(repo.path, worktree=False, history=True)
    assert outcome.secrets == [token(1)]
    assert "refs/heads/aa-broken" in [gap.path for gap in outcome.incomplete]


def test_a_ref_without_an_id_is_named(repo: Any, scan: Scan) -> None:
    repo.commit("a.txt", "x")
    (repo.path / ".git/refs/heads/odd").write_text("garbage\n")
    gaps = scan(repo.path, worktree=False, history=True).incomplete
    assert [(gap.path, gap.why) for gap in gaps] == [("refs/heads/odd", "broken ref")]


def test_a_detached_head_is_read(repo: Any, scan: Scan, token: Token) -> None:
    repo.commit("a.txt", "x")
    repo.git("checkout", "-q", "--detach")
    repo.commit("a.txt", token(1))
    assert scan(repo.path, worktree=False, history=True).secrets == [token(1)]


def test_a_foreign_multi_pack_index_hides_nothing(repo: Any, scan: Scan, token: Token) -> None:
    repo.commit("a.txt", token(1))
    repo.commit("a.txt", "gone")
    repo.git("repack", "-adq")
    (repo.path / ".git/objects/pack/multi-pack-index").write_bytes(b"X" * 5000)
    outcome = scan(repo.path, worktree=False, history=True)
    assert outcome.secrets == [token(1)]
    assert not outcome.incomplete


def test_what_a_shallow_clone_lacked_is_read_once_it_is_there(
    repo: Any, tmp_path: Path, token: Token
) -> None:
    repo.commit("a.txt", token(1))
    repo.commit("a.txt", "gone")
    clone = type(repo)(path=tmp_path / "clone")
    repo.git("clone", "-q", "--depth=1", f"file://{repo.path}", str(clone.path))
    found, first = _kept(tmp_path / "kept", clone)
    assert not found
    assert not first.summary.complete
    clone.git("fetch", "-q", "--unshallow")
    found, second = _kept(tmp_path / "kept", clone)
    assert found == ["a.txt"]
    assert second.summary.complete


def test_a_forged_border_is_incomplete(repo: Any, scan: Scan, token: Token) -> None:
    repo.commit("a.txt", token(1))
    newest = repo.commit("a.txt", "gone")
    (repo.path / ".git/shallow").write_text(newest + "\n")
    assert scan(repo.path, worktree=False, history=True).incomplete


def test_what_was_purged_is_reported_no_more(repo: Any, tmp_path: Path, token: Token) -> None:
    repo.commit("readme", "x")
    repo.git("checkout", "-qb", "leak")
    repo.commit("a.txt", token(1))
    repo.git("checkout", "-q", "main")
    assert _kept(tmp_path / "kept", repo)[0] == ["a.txt"]
    repo.git("branch", "-D", "leak")
    assert _kept(tmp_path / "kept", repo)[0] == []  # as a scan without memory says
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "-q", "--prune=now")
    assert _kept(tmp_path / "kept", repo)[0] == []


def test_what_else_holds_a_purged_leak_is_reported_then(
    repo: Any, tmp_path: Path, token: Token
) -> None:
    repo.commit("readme", "x")
    repo.git("checkout", "-qb", "first")
    leak = repo.commit("a.txt", token(1))
    repo.git("checkout", "-qb", "second", "main")
    repo.commit("b.txt", "other")
    repo.git("cherry-pick", leak)
    assert _kept(tmp_path / "kept", repo)[0] == ["a.txt"]
    for branch in ("first", "second"):  # whichever was reported: the other one still holds it
        copy = type(repo)(path=tmp_path / branch)
        shutil.copytree(repo.path, copy.path)
        _kept(tmp_path / "kept", copy)
        copy.git("checkout", "-q", "main")
        copy.git("branch", "-D", branch)
        assert _kept(tmp_path / "kept", copy)[0] == ["a.txt"]


def test_a_deleted_branch_without_findings_costs_no_second_reading(
    repo: Any, tmp_path: Path
) -> None:
    repo.commit("readme", "x")
    repo.git("checkout", "-qb", "topic")
    repo.commit("a.txt", "y")
    repo.git("checkout", "-q", "main")
    _kept(tmp_path / "kept", repo)
    repo.git("branch", "-D", "topic")
    assert _kept(tmp_path / "kept", repo)[1].summary.blobs == 0


def test_the_history_of_a_folder_has_what_is_known_elsewhere(
    repo: Any, scan: Scan, token: Token
) -> None:
    repo.commit("other/x.env", token(1))
    repo.commit("sub/x.env", token(1))
    repo.git("rm", "-q", "sub/x.env")
    repo.git("commit", "-qm", "gone")
    repo.commit("sub/keep", "x")
    outcome = scan(repo.path / "sub", worktree=False, history=True)
    assert outcome.places == [("x.env", 1)]


def _jwt(expires: int) -> str:
    parts = ({"alg": "HS256"}, {"sub": "someone", "exp": expires})
    texts = [base64.urlsafe_b64encode(json.dumps(each).encode()).decode() for each in parts]
    signature = base64.urlsafe_b64encode(hashlib.sha256(b"x").digest()).decode()
    return ".".join(text.rstrip("=") for text in (*texts, signature))


def test_a_verdict_is_not_kept_beyond_its_time(
    repo: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    repo.commit("a.txt", f"token = {_jwt(int(now) + 3600)}\n")
    assert _kept(tmp_path / "kept", repo)[0] == ["a.txt"]
    assert _kept(tmp_path / "kept", repo)[1].summary.blobs == 0
    monkeypatch.setattr("time.time", lambda: now + 7200)
    assert _kept(tmp_path / "kept", repo)[1].summary.blobs == 1


def _bomb(repo: Any) -> str:
    """A commit of a few objects that lists 10^5 paths."""
    (repo.path / "x").write_text("harmless")
    oid = repo.git("hash-object", "-w", "x")
    kind = "100644 blob"
    for _ in range(5):
        listed = "".join(f"{kind} {oid}\tn{number}\n" for number in range(10))
        (repo.path / "x").write_text(listed)
        oid = repo.git("-c", "alias.tree=!git mktree < x", "tree")
        kind = "040000 tree"
    commit: str = repo.git("commit-tree", "-p", "main", "-m", "bomb", oid)
    (repo.path / "x").unlink()
    return commit


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diff_tree, "most_records", lambda _: 20_000)
    monkeypatch.setattr(commit_changes, "most_records", lambda _: 20_000)


@pytest.mark.usefixtures("few")
def test_a_commit_that_lists_paths_without_end_is_given_up(
    repo: Any, scan: Scan, token: Token
) -> None:
    repo.commit("a.txt", token(1))
    bomb = _bomb(repo)
    repo.git("update-ref", "refs/heads/bomb", bomb)
    outcome = scan(repo.path, worktree=False, history=True)
    assert outcome.secrets == [token(1)]
    assert any(bomb[:12] in gap.why and "more paths" in gap.why for gap in outcome.incomplete)
    with (
        opened(_layout(repo)) as repository,
        pytest.raises(SourceError, match="more paths") as caught,
    ):
        commit_changes.committed(repository, [bomb])
    assert "too much at once" in caught.value.remedy  # fetching more of it would not help


def test_comparing_trees_has_memory_of_its_own(
    repo: Any, scan: Scan, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit("a.txt", token(1))
    bomb = _bomb(repo)
    repo.git("update-ref", "refs/heads/bomb", bomb)
    monkeypatch.setattr(diff_tree, "COMPARISON", 16 << 20)
    outcome = scan(repo.path, worktree=False, history=True)
    assert outcome.secrets == [token(1)]
    assert all(OVERDRAWN in gap.why for gap in outcome.incomplete)
    assert outcome.incomplete


def test_trees_of_real_projects_are_within_the_bound() -> None:
    assert diff_tree.most_records(1) >= 2 * 500_000  # an import of half a million files
    assert diff_tree.most_records(100_000) >= 2 * 10_000_000


def _layout(repo: Any) -> Any:
    layout = at(repo.path)
    assert layout is not None
    return layout


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))


def _head(kind: int, size: int) -> bytes:
    first, size = size & 15, size >> 4
    return bytes([kind << 4 | first | (0x80 if size else 0)]) + (_varint(size) if size else b"")


def _pack(repo: Any, entries: list[tuple[bytes, bytes]]) -> None:
    """A pack of these raw entries by their ids, and its index."""
    pack, index = bytearray(struct.pack(">4sII", b"PACK", 2, len(entries))), []
    for oid, raw in entries:
        index.append((oid, zlib.crc32(raw), len(pack)))
        pack += raw
    pack += _sha1(pack).digest()
    index.sort()
    fan = [sum(1 for row in index if row[0][0] <= byte) for byte in range(256)]
    idx = b"\xfftOc" + struct.pack(">257I", 2, *fan) + b"".join(row[0] for row in index)
    idx += b"".join(struct.pack(">I", row[1]) for row in index)
    idx += b"".join(struct.pack(">I", row[2]) for row in index) + pack[-20:]
    name = repo.path / ".git/objects/pack" / f"pack-{pack[-20:].hex()}"
    name.with_suffix(".pack").write_bytes(pack)
    name.with_suffix(".idx").write_bytes(idx + _sha1(idx).digest())


def _gaps(repo: Any, oid: bytes, bounds: Bounds) -> list[str]:
    with opened(_layout(repo), bounds=bounds) as repository:
        reader = BlobReader(repository=repository, place=placed)
        found = list(reader.read((Blob(oid.hex(), "f", "c" * 40),)))
        reader.close()
    return [getattr(each, "why", "read") for each in found]


def test_a_difference_to_itself_ends(repo: Any) -> None:
    leaf = _sha1(b"leaf").digest()
    delta = _varint(10) + _varint(10) + b"\x90\x0a"
    _pack(repo, [(leaf, _head(7, len(delta)) + leaf + zlib.compress(delta))])
    (why,) = _gaps(repo, leaf, Bounds(data=64 << 20, seconds=20))
    assert why.startswith("broken object")


def test_a_few_kilobytes_of_three_gigabytes_are_a_gap(repo: Any) -> None:
    base, leaf = (_sha1(name).digest() for name in (b"base", b"leaf"))
    size = 0xFFFFFF
    whole = _head(3, size) + zlib.compress(bytes(size), 9)
    delta = _varint(size) + _varint(200 * size) + b"\xf0\xff\xff\xff" * 200
    packed = _head(7, len(delta)) + base + zlib.compress(delta, 9)
    _pack(repo, [(base, whole), (leaf, packed)])
    assert _gaps(repo, leaf, Bounds())[-1].startswith("broken object")


@pytest.mark.parametrize("where", ["itself", "info/alternates", "pack/pack-1.idx", "ab/cd"])
def test_a_pipe_in_a_borrowed_store_is_refused(
    repo: Any, tmp_path: Path, scan: Scan, where: str
) -> None:
    repo.commit("a.txt", "x")
    store = tmp_path / "store"
    pipe = store if where == "itself" else store / where
    pipe.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(pipe)
    (repo.path / ".git/objects/info/alternates").write_text(f'"{store}"\n')
    gaps = scan(repo.path, worktree=False, history=True).incomplete
    assert str(pipe) in gaps[0].why


def test_an_honest_borrowed_store_is_read(
    repo: Any, tmp_path: Path, scan: Scan, token: Token
) -> None:
    repo.commit("a.txt", token(1))
    repo.git("clone", "-q", "--shared", str(repo.path), str(tmp_path / "clone"))
    outcome = scan(tmp_path / "clone", worktree=False, history=True)
    assert (outcome.secrets, outcome.incomplete) == ([token(1)], [])


def test_a_git_that_says_nothing_is_ended(repo: Any) -> None:
    repo.commit("a.txt", "x")
    with opened(_layout(repo), bounds=Bounds(patience=0.1)) as repository:
        from stanch.scanner.sources.git.repository import start, why  # noqa: PLC0415  # for this

        with start(repository, "cat-file", "--batch", talk=True) as git:  # waits for a question
            assert git.stdout is not None
            assert git.stdout.read() == b""
        assert git.failed
        assert "waited in vain" in why(repository, git, "cat-file")


def _starts() -> Iterator[tuple[str, ast.AST]]:
    """Every function of the scanner, or class, in which a git is started."""
    for file in sorted(Path(cache.CODE).rglob("*.py")):
        text = file.read_text()
        tree = ast.parse(text if "sources.git.repository import" in text else "")
        for top in tree.body:
            for scope in top.body if isinstance(top, ast.ClassDef) else [top]:
                calls = [n for n in ast.walk(scope) if isinstance(n, ast.Call)]
                if any(isinstance(n.func, ast.Name) and n.func.id == "start" for n in calls):
                    whole = top if isinstance(top, ast.ClassDef) else scope
                    yield f"{file.name}:{getattr(scope, 'lineno', 0)}", whole


def test_every_git_is_asked_whether_it_has_failed() -> None:
    found = dict(_starts())
    assert len(found) >= 12
    careless = [
        place
        for place, scope in found.items()
        if not any(isinstance(n, ast.Attribute) and n.attr == "failed" for n in ast.walk(scope))
    ]
    # The blob reader counts answers: each object that was asked for has one, or is a gap.
    assert [place for place in careless if not place.startswith("blob_reader.py")] == []
