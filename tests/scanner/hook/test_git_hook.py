from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Token = Callable[[int], str]
Hooked = Callable[..., Path]


def _heads(ann: Any, place: Path) -> int:
    return int(ann.git("rev-list", "--count", "--all", cwd=place).stdout)


def test_a_commit_with_a_token_is_blocked_and_says_what_where_and_how(
    ann: Any, hooked: Hooked, token: Token
) -> None:
    place = hooked("pre-commit")
    (place / "deploy.sh").write_text(f"\nexport T={token(1)}\n")
    ann.git("add", ".", cwd=place)
    done = ann.git("commit", "-m", "deploy", cwd=place)
    assert done.returncode == 1
    assert "commit blocked: 1 credential in 1 place" in done.stderr
    assert "deploy.sh:2:10  critical  GitHub personal access token" in done.stderr
    for remedy in (
        "environment",
        "rotate",
        "stanch baseline add deploy.sh:2",
        "# stanch: allow WHY",
    ):
        assert remedy in done.stderr
    assert token(1) not in done.stderr + done.stdout
    assert _heads(ann, place) == 1


def test_a_clean_commit_passes_in_silence(ann: Any, hooked: Hooked) -> None:
    place = hooked("pre-commit")
    (place / "a.py").write_text("print('hello')\n")
    ann.git("add", ".", cwd=place)
    done = ann.git("commit", "-q", "-m", "a", cwd=place)
    assert (done.returncode, done.stderr) == (0, "")
    assert _heads(ann, place) == 2


@pytest.mark.parametrize("arguments", [("-a",), ("README",), ("-i", "README")])
def test_the_index_that_git_prepares_for_this_commit_is_what_counts(
    ann: Any, hooked: Hooked, token: Token, arguments: tuple[str, ...]
) -> None:
    place = hooked("pre-commit")
    (place / "README").write_text(f"T={token(2)}\n")  # never added
    done = ann.git("commit", "-m", "x", *arguments, cwd=place)
    assert done.returncode == 1
    assert "README:1:3" in done.stderr


def test_a_commit_from_a_folder_and_from_a_linked_tree_is_checked(
    ann: Any, hooked: Hooked, token: Token, tmp_path: Path
) -> None:
    place = hooked("pre-commit")
    ann.git("worktree", "add", "-q", tmp_path / "linked", "-b", "other", cwd=place)
    for top in (place, tmp_path / "linked"):
        (top / "below").mkdir()
        (top / "below" / "x.env").write_text(f"T={token(3)}\n")
        ann.git("add", ".", cwd=top / "below")
        done = ann.git("commit", "-m", "x", cwd=top / "below")
        assert done.returncode == 1
        assert "below/x.env:1:3" in done.stderr


def test_what_was_there_before_does_not_block_even_when_it_moves(
    ann: Any, hooked: Hooked, place: Path, token: Token
) -> None:
    (place / "old.env").write_text(f"T={token(4)}\n")
    ann.git("add", ".", cwd=place)
    ann.git("commit", "-q", "-m", "an old leak", cwd=place)
    hooked("pre-commit")
    ann.git("mv", "old.env", "new.env", cwd=place)
    (place / "new.env").write_text(f"# kept\nT={token(4)}\n")
    assert ann.git("commit", "-a", "-q", "-m", "move", cwd=place).returncode == 0
    (place / "new.env").write_text(f"T={token(4)}\nU={token(5)}\n")
    done = ann.git("commit", "-a", "-q", "-m", "more", cwd=place)
    assert done.returncode == 1
    assert "new.env:2:3" in done.stderr
    assert "new.env:1:3" not in done.stderr


def test_a_reason_in_the_line_or_in_the_baseline_lets_a_commit_pass(
    ann: Any, hooked: Hooked, token: Token
) -> None:
    place = hooked("pre-commit")
    (place / "a.sh").write_text(f"T={token(6)} # stanch: allow revoked, an example\n")
    ann.git("add", ".", cwd=place)
    done = ann.git("commit", "-q", "-m", "a", cwd=place)
    assert done.returncode == 0, done.stderr
    assert "1 accepted finding let through" in done.stderr
    (place / "b.sh").write_text(f"T={token(7)} # stanch: allow\n")
    ann.git("add", ".", cwd=place)
    done = ann.git("commit", "-q", "-m", "b", cwd=place)
    assert done.returncode == 1
    assert "not accepted: the marker gives no reason" in done.stderr


def test_a_broken_object_blocks_as_incomplete(ann: Any, hooked: Hooked) -> None:
    place = hooked("pre-commit")
    oid = "1" * 40
    ann.git("update-index", "--add", "--cacheinfo", f"100644,{oid},ghost", cwd=place)
    done = ann.stanch("hook", "run", cwd=place)
    assert done.returncode == 3
    assert "ghost" in done.stderr
    assert "was not read" in done.stderr


def test_a_token_in_the_message_is_blocked_but_not_in_its_comments(
    ann: Any, hooked: Hooked, token: Token
) -> None:
    place = hooked("commit-msg")
    text = f"use the new key\n\nit is {token(8)}\n"
    done = ann.git("commit", "--allow-empty", "-m", text, cwd=place)
    assert done.returncode == 1
    assert "commit message:3:7" in done.stderr
    message = place / "message"
    message.write_text(f"fine\n# {token(8)}\n# {'-' * 24} >8 {'-' * 24}\n{token(8)}\n")
    assert ann.stanch("hook", "commit-msg", message, cwd=place).returncode == 0


def test_a_push_is_checked_for_its_new_commits_only(
    ann: Any, place: Path, hooked: Hooked, token: Token, tmp_path: Path
) -> None:
    server = tmp_path / "server.git"
    ann.git("init", "-q", "--bare", server, cwd=tmp_path)
    ann.git("remote", "add", "origin", f"file://{server}", cwd=place)
    (place / "old.env").write_text(f"T={token(9)}\n")
    ann.git("add", ".", cwd=place)
    ann.git("commit", "-q", "-m", "an old leak", cwd=place)
    assert ann.git("push", "-q", "origin", "main", cwd=place).returncode == 0
    hooked("pre-push")
    (place / "new.env").write_text(f"T={token(10)}\n")
    ann.git("add", ".", cwd=place)
    ann.git("commit", "-q", "-m", "leak", cwd=place)
    ann.git("rm", "-q", "new.env", cwd=place)
    ann.git("commit", "-q", "-m", "remove it", cwd=place)
    done = ann.git("push", "origin", "HEAD:refs/heads/topic", cwd=place)
    assert done.returncode == 1
    assert "push blocked: 1 credential in 1 place" in done.stderr
    assert "new.env:1:3 in " in done.stderr
    assert "amend or rebase" in done.stderr
    assert "old.env" not in done.stderr
    ann.git("reset", "-q", "--hard", "HEAD~2", cwd=place)
    (place / "fine").write_text("fine\n")
    ann.git("add", ".", cwd=place)
    ann.git("commit", "-q", "-m", "fine", cwd=place)
    assert ann.git("push", "-q", "origin", "HEAD:refs/heads/topic", cwd=place).returncode == 0
    assert ann.git("push", "-q", "origin", ":refs/heads/topic", cwd=place).returncode == 0


@pytest.fixture
def server(ann: Any, place: Path, tmp_path: Path) -> Path:
    """A bare repository that checks what it is about to receive; ``origin`` of the place."""
    bare = tmp_path / "server.git"
    ann.git("init", "-q", "--bare", "-b", "main", bare, cwd=tmp_path)
    done = ann.stanch("hook", "install", "--type", "pre-receive", cwd=bare)
    assert done.returncode == 0, done.stderr
    ann.git("remote", "add", "origin", f"file://{bare}", cwd=place)
    assert ann.git("push", "-q", "origin", "main", cwd=place).returncode == 0
    return bare


def test_a_server_refuses_a_push_while_it_is_still_in_quarantine(
    ann: Any, place: Path, server: Path, token: Token
) -> None:
    (place / "x.env").write_text(f"T={token(11)}\n")
    ann.git("add", ".", cwd=place)
    ann.git("commit", "-q", "-m", "leak", cwd=place)
    ann.git("tag", "-a", "v1", "-m", "release", cwd=place)
    for name in ("main", "v1"):
        done = ann.git("push", "origin", name, cwd=place)
        assert done.returncode == 1
        assert "remote: stanch: push blocked: 1 credential in 1 place" in done.stderr
        assert "x.env:1:3 in " in done.stderr
        assert token(11) not in done.stderr
    assert _heads(ann, server) == 1
    assert ann.git("cat-file", "-e", "HEAD:x.env", cwd=server).returncode != 0


def test_a_server_takes_clean_pushes_and_deletions(ann: Any, place: Path, server: Path) -> None:
    (place / "x.py").write_text("x = 1\n")
    ann.git("add", ".", cwd=place)
    ann.git("commit", "-q", "-m", "x", cwd=place)
    assert ann.git("push", "-q", "origin", "main", "main:topic", cwd=place).returncode == 0
    assert ann.git("push", "-q", "origin", ":topic", cwd=place).returncode == 0
    assert _heads(ann, server) == 2


def test_a_server_refuses_a_file_that_hangs_directly_under_a_ref(
    ann: Any, place: Path, server: Path, token: Token
) -> None:
    oid = ann.run("git", "hash-object", "-w", "--stdin", cwd=place, feed=token(12)).stdout.strip()
    done = ann.git("push", "origin", f"{oid}:refs/tags/blob", cwd=place)
    assert done.returncode == 1
    assert "does not lead to a commit" in done.stderr
    assert ann.git("for-each-ref", cwd=server).stdout.count("\n") == 1


def test_install_refuses_a_foreign_hook_chains_it_when_asked_and_puts_it_back(
    ann: Any, place: Path, token: Token
) -> None:
    hook = place / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho foreign >&2\n[ ! -e refuse ]\n")
    hook.chmod(0o755)
    done = ann.stanch("hook", "install", cwd=place)
    assert done.returncode == 2
    assert "--chain" in done.stderr
    assert ann.stanch("hook", "install", "--chain", cwd=place).returncode == 0
    assert ann.stanch("hook", "install", cwd=place).returncode == 0  # again: over our own
    (place / "x").write_text(f"T={token(13)}\n")
    ann.git("add", ".", cwd=place)
    done = ann.git("commit", "-m", "x", cwd=place)
    assert done.returncode == 1
    assert "foreign\n" in done.stderr
    assert "commit blocked" in done.stderr
    (place / "refuse").touch()
    assert "commit blocked" not in ann.git("commit", "-m", "x", cwd=place).stderr
    assert ann.stanch("hook", "uninstall", cwd=place).returncode == 0
    assert "echo foreign" in hook.read_text()
    assert ann.stanch("hook", "install", "--force", cwd=place).returncode == 0
    assert "foreign" not in hook.read_text()
    assert ann.stanch("hook", "uninstall", cwd=place).returncode == 0
    assert not hook.exists()


def test_a_folder_of_hooks_that_others_share_has_to_be_asked_for(
    ann: Any, place: Path, tmp_path: Path
) -> None:
    ann.git("config", "core.hooksPath", tmp_path / "shared", cwd=place)
    done = ann.stanch("hook", "install", cwd=place)
    assert done.returncode == 2
    assert "--global" in done.stderr
    assert ann.stanch("hook", "install", "--global", cwd=place).returncode == 0
    assert (tmp_path / "shared" / "pre-commit").exists()


def test_a_hook_in_a_repository_runs_no_code_of_that_repository(
    ann: Any, hooked: Hooked, tmp_path: Path
) -> None:
    place = hooked("pre-commit")
    for module in ("scanner", "re", "hyperscan"):
        (place / f"{module}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    ann.git("add", ".", cwd=place)
    assert ann.git("commit", "-q", "-m", "x", cwd=place).returncode == 0
    assert not (tmp_path / "ran").exists()


def test_one_install_sets_the_usual_hooks_and_one_uninstall_takes_them_away(
    ann: Any, place: Path, token: Callable[[int], str]
) -> None:
    assert ann.stanch("hook", "install", cwd=place).returncode == 0
    folder = place / ".git" / "hooks"
    usual = {"pre-commit", "pre-merge-commit", "pre-push"}
    assert {each.name for each in folder.iterdir() if each.suffix != ".sample"} == usual
    ann.git("checkout", "-qb", "topic", cwd=place)
    (place / "a.env").write_text(f"k={token(1)}\n")
    ann.git("add", ".", cwd=place)
    ann.git("commit", "-qnm", "leak", cwd=place)
    ann.git("checkout", "-q", "main", cwd=place)
    merged = ann.git("merge", "--no-ff", "-m", "merge", "topic", cwd=place)
    assert merged.returncode != 0
    assert "merge blocked" in merged.stderr
    assert ann.stanch("hook", "uninstall", cwd=place).returncode == 0
    assert {each.name for each in folder.iterdir() if each.suffix != ".sample"} == set()


def test_a_shared_folder_gets_hooks_from_anywhere(ann: Any, tmp_path: Path) -> None:
    done = ann.stanch("hook", "install", "--global", cwd=tmp_path)
    assert done.returncode == 2
    assert "core.hooksPath" in done.stderr
    shared = ann.home / "hooks"
    ann.git("config", "--global", "core.hooksPath", str(shared), cwd=tmp_path)
    assert ann.stanch("hook", "install", "--global", cwd=tmp_path).returncode == 0
    assert (shared / "pre-commit").exists()
