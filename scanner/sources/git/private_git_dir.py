"""Where a repository keeps its things, and a private git directory that links to them.

Plain strings and system calls: every commit waits for this. ``repository`` says why git never sees
a repository's own configuration; this is what it sees instead.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from stanch.scanner.model.error import SourceError

Place = tuple[str | None, str, str]
"""The working tree's root (None when bare), where HEAD and the index are, and where objects are."""

_LARGEST_POINTER = 4096  # bytes in a .git file: "gitdir: " and one path
_LARGEST = 1 << 20  # bytes of HEAD or a configuration that are looked at
_LARGEST_OBJECT = 512 << 20  # bytes that git asks for at once, for an object that it holds whole
_LARGEST_HELD = 32 << 20  # above it git need not hold an object that is no difference
_LINKED = ("objects", "refs", "packed-refs", "shallow")
_PASSED = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")
_TEMPORARY = ("TMPDIR", "TEMP", "TMP")
_FORMAT = "objectformat"
_STORAGE = "refstorage"


def place_at(path: str) -> Place | None:
    """The repository whose root (or bare directory) is exactly this real path, or None."""
    git_dir = _pointed(f"{path}/.git")
    if git_dir is not None:
        return path, git_dir, _common(git_dir)
    if os.path.basename(path) != ".git" and _is_git_dir(path, path):
        return None, path, path
    return None


def elsewhere(top: str, git_dir: str) -> bool:
    """Whether ``.git`` of a working tree leads to a repository that does not know this tree.

    Whoever writes a folder can write a pointer to any repository of its reader into it. What a
    linked tree or a submodule points to names the tree in turn.
    """
    dot_git, real = f"{top}/.git", os.path.realpath(git_dir)
    if real.startswith(f"{top}/"):
        return False
    try:
        if os.path.isfile(f"{real}/gitdir"):
            named = os.fsdecode(_read(f"{real}/gitdir")).strip()
            return os.path.realpath(os.path.join(real, named)) != dot_git
        lines = os.fsdecode(_read(f"{real}/config")).splitlines()
    except (OSError, ValueError):
        return True
    named = next((v for k, _, v in (x.partition("=") for x in lines) if _is_worktree(k)), "")
    where = named.strip().strip('"')
    return not where or os.path.realpath(os.path.join(real, where)) != top


def _is_worktree(key: str) -> bool:
    return key.strip().lower() == "worktree"


def made(git_dir: str, common_dir: str) -> str:
    """A new private git directory over these; :func:`removed` takes it away again."""
    shadow = _folder()
    try:
        _furnish(shadow, git_dir, common_dir)
    except BaseException:
        removed(shadow)
        raise
    return shadow


def removed(shadow: str) -> None:
    """Remove a private git directory; what has gone already is no error."""
    try:
        with os.scandir(shadow) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    removed(entry.path)
                else:
                    os.unlink(entry.path)
        os.rmdir(shadow)
    except OSError:
        return


def environment(shadow: str, git_dir: str) -> dict[str, str]:
    """Of ours only the search path: no user's or system's configuration, prompt or network."""
    return {name: os.environ[name] for name in _PASSED if name in os.environ} | {
        "GIT_ALLOC_LIMIT": str(_LARGEST_OBJECT),
        "HOME": shadow,
        "LC_ALL": "C",
        "GIT_INDEX_FILE": f"{git_dir}/index",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_FLUSH": "0",  # else each commit of a list is a write of its own
        "GIT_CEILING_DIRECTORIES": os.path.dirname(shadow),
    }


def command(shadow: str, top: str | None, *arguments: str) -> list[str]:
    """The command line of a git command that sees only our configuration."""
    work_tree = [f"--work-tree={top}"] if top else []
    return ["git", "--no-pager", f"--git-dir={shadow}", *work_tree, *arguments]


def _pointed(dot_git: str) -> str | None:
    """The git directory that ``.git`` is, or points to as linked trees and submodules do."""
    try:
        if os.path.isfile(dot_git) and os.stat(dot_git).st_size < _LARGEST_POINTER:
            text = os.fsdecode(_read(dot_git)).rstrip("\n")
            named = text.removeprefix("gitdir:").strip()
            target = os.path.join(os.path.dirname(dot_git), named)
            found = text.startswith("gitdir:") and _is_git_dir(target, _common(target))
            return os.path.realpath(target) if found else None
        return dot_git if _is_git_dir(dot_git, dot_git) else None
    except (OSError, ValueError):
        return None


def _common(git_dir: str) -> str:
    pointer = f"{git_dir}/commondir"
    try:
        if not os.path.isfile(pointer) or os.stat(pointer).st_size >= _LARGEST_POINTER:
            return git_dir
        return os.path.realpath(os.path.join(git_dir, os.fsdecode(_read(pointer)).strip()))
    except (OSError, ValueError):  # a path with a NUL
        return git_dir


def _is_git_dir(git_dir: str, common_dir: str) -> bool:
    return (
        os.path.isfile(f"{git_dir}/HEAD")
        and os.path.isdir(f"{common_dir}/objects")
        and os.path.isdir(f"{common_dir}/refs")
    )


def _folder() -> str:
    """A new folder of our own where temporary files belong."""
    named = (os.environ.get(name) for name in _TEMPORARY)
    for parent in (*filter(None, named), "/tmp", "/var/tmp"):  # noqa: S108  # with a random name
        folder = os.path.abspath(f"{parent}/stanch-git-{os.urandom(8).hex()}")
        try:
            os.mkdir(folder, 0o700)
        except OSError:
            continue
        return folder
    raise SourceError(
        "there is no folder for temporary files", remedy="set TMPDIR to a folder you may write"
    )


def _furnish(shadow: str, git_dir: str, common_dir: str) -> None:
    for name in _LINKED:
        if os.path.exists(f"{common_dir}/{name}"):
            os.symlink(f"{common_dir}/{name}", f"{shadow}/{name}")
    for name in _shared(git_dir):
        os.symlink(f"{git_dir}/{name}", f"{shadow}/{name}")
    os.mkdir(f"{shadow}/info")
    if os.path.isfile(f"{common_dir}/info/exclude"):
        os.symlink(f"{common_dir}/info/exclude", f"{shadow}/info/exclude")
    try:
        _write(f"{shadow}/HEAD", _read(f"{git_dir}/HEAD"))
        theirs = _read(f"{common_dir}/config").decode("utf-8", "replace")
    except FileNotFoundError:
        theirs = ""
    except OSError as error:
        raise SourceError(
            f"the repository {git_dir} cannot be read: {error.strerror}",
            remedy="run as a user who may read it",
        ) from error
    if _says(theirs, _STORAGE, "reftable"):
        raise SourceError(
            "the repository keeps its refs in a reftable, which is not supported",
            remedy="scan a clone made with `git clone --ref-format=files`",
        )
    _write(f"{shadow}/config", _configuration(sha256=_says(theirs, _FORMAT, "sha256")).encode())


def _shared(git_dir: str) -> Iterator[str]:
    try:
        names = os.listdir(git_dir)
    except OSError:
        return
    yield from (name for name in names if name.startswith("sharedindex."))


def _says(configuration: str, key: str, value: str) -> bool:
    """Whether a line sets the key to what begins with the value, in any case."""
    for line in configuration.lower().splitlines():
        name, _, said = line.partition("=")
        if name.strip() == key and said.strip().removeprefix('"').startswith(value):
            return True
    return False


def _configuration(*, sha256: bool) -> str:
    version = "1\n[extensions]\n\tobjectFormat = sha256" if sha256 else "0"
    return (
        f"[core]\n\trepositoryFormatVersion = {version}\n"
        "[core]\n\tbare = false\n\tfsmonitor = false\n\thooksPath = /dev/null\n"
        "\tquotePath = false\n\tcommitGraph = false\n"
        # Histories are read file by file: the versions' common bases are worth more than the pack.
        "\tpackedGitWindowSize = 8m\n\tpackedGitLimit = 32m\n\tdeltaBaseCacheLimit = 64m\n"
        # A multi-pack-index can hide objects that are there, and end every git.
        f"\tbigFileThreshold = {_LARGEST_HELD}\n\tmultiPackIndex = false\n"
        "[protocol]\n\tallow = never\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n"
    )


def _read(path: str) -> bytes:
    """The beginning of a file, which is all of every honest one."""
    with open(path, "rb") as file:
        return file.read(_LARGEST)


def _write(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
