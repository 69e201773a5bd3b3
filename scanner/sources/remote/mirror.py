"""Copies of repositories on other hosts, bare and kept, so that a second look fetches what is new.

Nothing of theirs is run or checked out: the copy has a configuration of ours, no hooks, no working
tree and no submodules. Git speaks to the one host of the address, follows no redirect, asks nobody
for a password, and sends the operator's token for this host alone.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from urllib.parse import urlsplit

from stanch.scanner.local.hosts import Host, Hosts
from stanch.scanner.model.error import LastingError, SourceError, UsageError
from stanch.scanner.model.record import Record
from stanch.scanner.sources.remote.address import Address

REFS = ("refs/heads", "refs/tags", "refs/notes", "refs/pull", "refs/merge-requests")
"""What is fetched: also what was proposed and never merged."""

LARGEST = 8 << 30
"""Bytes that one repository may take."""

SECONDS = 3600.0
_KEPT = 20 << 30  # bytes of all copies; the ones that nobody has asked for longest go first
_NOTICE = 0.2  # seconds between two looks at a git that fetches
_COMPLAINT = 4096  # bytes of what it says at its end
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_USERS = {"gitlab": "oauth2", "bitbucket": "x-token-auth"}  # with a token for a password
_PASSED = ("PATH", "LD_LIBRARY_PATH", "TMPDIR", "SSH_AUTH_SOCK", "HOME")
_PROXIES = ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE")


class Fetch(Record):
    """How a repository is fetched. Without ``history`` only the files of its default branch."""

    address: Address
    folder: Path
    hosts: Hosts
    environ: Mapping[str, str]
    history: bool = True
    largest: int = LARGEST
    seconds: float = SECONDS

    @property
    def place(self) -> Path:
        """The folder of the copy."""
        named = f"{self.address.url}\0{self.history}".encode()
        return self.folder / f"{hashlib.sha256(named).hexdigest()[:32]}.git"


@contextmanager
def fetched(fetch: Fetch) -> Iterator[Path]:
    """The copy, up to date; nobody else changes it meanwhile.

    Raises :class:`SourceError` when it cannot be fetched, :class:`UsageError` when it must not.
    """
    known = fetch.hosts.of(fetch.address.host)
    host = fetch.address.host.partition(":")[0]
    if fetch.address.scheme == "http" and host not in (*_LOOPBACK, *fetch.hosts.named):
        raise UsageError(
            f"{host} is not asked without TLS",
            remedy=f'write https://, or name it in the configuration: [hosts."{host}"]',
        )
    try:
        fetch.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make_room(fetch.folder, but=fetch.place)
        with fetch.place.with_suffix(".lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            _brought(fetch, known)
            os.utime(fetch.place)
            yield fetch.place
    except OSError as error:
        raise SourceError(
            f"{fetch.address.shown} cannot be kept in {fetch.folder}: {error.strerror}",
            remedy="make room there, or set STANCH_HOME to another folder",
        ) from error


def _brought(fetch: Fetch, known: Host) -> None:
    """Bring the copy up to date; one that could never be fetched does not stay behind, empty."""
    before = (fetch.place / "HEAD").is_file()
    try:
        _prepare(fetch)
        _run(fetch, known)
    except BaseException:
        if not before:
            shutil.rmtree(fetch.place, ignore_errors=True)
        raise


def _prepare(fetch: Fetch) -> None:
    place = fetch.place
    if not (place / "HEAD").is_file():
        shutil.rmtree(place, ignore_errors=True)
        _git(["init", "--quiet", "--bare", "--template=", str(place)], fetch, {})
    # Written anew each time: what stands in it names programs.
    lines = [
        "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\thooksPath = /dev/null\n",
        f'[remote "origin"]\n\turl = {fetch.address.url}\n',
    ]
    (place / "config").write_text("".join(lines), encoding="utf-8")


def _run(fetch: Fetch, known: Host) -> None:
    """Fetch, and take over which branch is the default one."""
    settings = _settings(fetch.address, known, fetch.environ)
    head = _git(["ls-remote", "--symref", "origin", "HEAD"], fetch, settings)
    branch, commit = _default(head)
    place = ["-C", str(fetch.place)]
    if not fetch.history:
        if commit is None:
            return  # nothing was ever committed
        only = ["--depth=1", "--no-tags", "origin", f"+{commit}:refs/heads/fetched"]
        _git([*place, *_fetching(), *only], fetch, settings, watched=True)
        branch = "refs/heads/fetched"
    else:
        wanted = [f"+{name}/*:{name}/*" for name in REFS]
        _git([*place, *_fetching(), "--prune", "origin", *wanted], fetch, settings, watched=True)
    if branch is not None:
        _git([*place, "symbolic-ref", "HEAD", branch], fetch, {})


def _fetching() -> tuple[str, ...]:
    return (
        *("fetch", "--quiet", "--force", "--no-auto-maintenance", "--no-recurse-submodules"),
        *("--no-write-fetch-head", "--no-show-forced-updates", "--update-head-ok"),
    )


def _default(said: bytes) -> tuple[str | None, str | None]:
    """The branch that HEAD names, and its commit."""
    branch = commit = None
    for line in said.decode("utf-8", "replace").splitlines():
        value, _, name = line.partition("\t")
        if name == "HEAD" and value.startswith("ref: refs/heads/"):
            branch = value.removeprefix("ref: ")
        elif name == "HEAD" and value.isalnum():
            commit = value
    return branch, commit


def _settings(address: Address, known: Host, environ: Mapping[str, str]) -> dict[str, str]:
    """What git is told by its environment, which no list of processes shows."""
    settings = {
        "http.followRedirects": "false",
        "http.lowSpeedLimit": "1",
        "http.lowSpeedTime": "60",
        "credential.helper": "",
        "fetch.fsckObjects": "false",  # old histories fail it, and nothing of it is checked out
        "fetch.unpackLimit": "1",  # one pack, whose growth is watched
        "transfer.bundleURI": "false",
    }
    bare = address.host.rpartition(":")[0] if ":" in address.host else address.host
    safe = address.scheme == "https" or (address.scheme == "http" and bare in _LOOPBACK)
    secret = known.secret(environ) if safe else None
    if secret is not None:
        provider = known.provider or next((p for p in _USERS if p in address.host), "")
        user = known.user or _USERS.get(provider, "x-access-token")
        pair = base64.b64encode(f"{user}:".encode() + secret.reveal()).decode()
        parts = urlsplit(address.url)
        scoped = f"http.{parts.scheme}://{parts.netloc}/.extraHeader"
        settings[scoped] = f"Authorization: Basic {pair}"
    return settings


def _surroundings(fetch: Fetch, settings: Mapping[str, str]) -> dict[str, str]:
    told = {name: fetch.environ[name] for name in (*_PASSED, *_PROXIES) if name in fetch.environ}
    told |= {
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "SSH_ASKPASS": "true",
        "GIT_ALLOW_PROTOCOL": "http:https:ssh",
        "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=15",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_CONFIG_COUNT": str(len(settings)),
    }
    for number, (name, value) in enumerate(settings.items()):
        told |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return told


def _git(
    arguments: list[str], fetch: Fetch, settings: Mapping[str, str], *, watched: bool = False
) -> bytes:
    """What git answers. One that is ``watched`` may take only so much room and time."""
    command = ["git", "--no-pager", *arguments]
    place = fetch.place if fetch.place.is_dir() else fetch.folder
    surroundings = _surroundings(fetch, settings)
    with (
        TemporaryFile(dir=fetch.folder) as complaints,
        subprocess.Popen(
            command, cwd=place, env=surroundings, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=complaints, start_new_session=True,
        ) as git,
    ):  # fmt: skip
        try:
            answer = _awaited(git, fetch, room=watched)
        except BaseException:
            git.kill()
            raise
        complaints.seek(0, os.SEEK_END)
        complaints.seek(max(0, complaints.tell() - _COMPLAINT))
        said = complaints.read().decode("utf-8", "replace")
    if git.returncode:
        raise _failed(fetch.address, said)
    return answer


def _awaited(git: subprocess.Popen[bytes], fetch: Fetch, *, room: bool) -> bytes:
    until = time.monotonic() + fetch.seconds
    while True:
        try:
            return git.communicate(timeout=_NOTICE)[0]
        except subprocess.TimeoutExpired:
            if time.monotonic() > until:
                raise _over(fetch.address, f"takes longer than {fetch.seconds:.0f} s") from None
            if room and _size(fetch.place) > fetch.largest:
                size = f"{fetch.largest / (1 << 30):.1f} GiB"
                raise _over(fetch.address, f"takes more than {size}") from None


def _over(address: Address, why: str) -> SourceError:
    return SourceError(
        f"{address.shown} {why} to fetch",
        remedy=f"clone it yourself and scan the clone: git clone {address.url}",
    )


def _failed(address: Address, said: str) -> SourceError:
    """Why it was not fetched, in the words that help."""
    lowered = said.lower()
    host = address.host
    entry = f'name a token that may read it: [hosts."{host}"] token = "env:NAME"'
    if "could not resolve" in lowered:
        return SourceError(f"there is no host {host}", remedy="mend its name, or the network")
    if "permission denied (" in lowered or "host key verification" in lowered:
        remedy = f"let ssh reach it first: ssh -T {address.url.rpartition(':')[0] or host}"
        return MissingError(f"{host} does not let us in by ssh", remedy=remedy)
    if any(word in lowered for word in ("authentication failed", "403", "401", "could not read")):
        return MissingError(f"{address.shown} is not shown to us", remedy=entry)
    if any(word in lowered for word in ("not found", "does not exist", "404")):
        remedy = f"mend its name; of a private one, {entry}"
        return MissingError(f"there is no repository {address.shown}", remedy=remedy)
    if "redirect" in lowered or "error: 30" in lowered:
        remedy = "open it in a browser and name the address to which that leads"
        return LastingError(f"{address.shown} has moved", remedy=remedy)
    last = next((line for line in reversed(said.splitlines()) if line.strip()), "git failed")
    text = "".join(c if c.isprintable() else "?" for c in last)[:200]
    return SourceError(f"{address.shown} was not fetched: {text}", remedy="is the host up?")


class MissingError(LastingError):
    """There is no such repository, or none that we may see."""


def _make_room(folder: Path, *, but: Path) -> None:
    """Remove copies that nobody has asked for longest, until all fit; none that is in use."""
    copies = sorted(folder.glob("*.git"), key=lambda each: each.stat().st_mtime)
    sizes = {each: _size(each) for each in copies}
    for each in copies:
        if sum(sizes.values()) <= _KEPT:
            return
        if each == but:
            continue
        with each.with_suffix(".lock").open("wb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(each, ignore_errors=True)
            del sizes[each]


def _size(folder: Path) -> int:
    return sum(
        file.stat(follow_symlinks=False).st_size
        for below in ("objects/pack", "objects/incoming-*", ".")
        for file in folder.glob(f"{below}/*")
        if file.is_file()
    )
