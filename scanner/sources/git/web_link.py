"""Where a repository's host shows a line of a commit, for the hosts whose addresses are known."""

from __future__ import annotations

import re
from urllib.parse import quote

from stanch.scanner.sources.git.discovery import Layout

_LARGEST = 1 << 16  # bytes of a configuration that are looked at
_REMOTE = re.compile(
    r"""^\s*\[remote\s+"origin"\][^\[]*?^\s*url\s*=\s*"?([^\s"]+)""", re.MULTILINE | re.DOTALL
)
#: Without user and password: `https://host/path`, `ssh://git@host/path`, `git@host:path`.
_ADDRESS = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^/@\s]*@)?|[\w.-]+@)([\w.-]+)(?::\d+)?[:/]+([\w./~-]+?)(?:\.git)?/?"
)
#: How a page of a file is addressed, by what the host's name holds.
_PAGES = {
    "github": "blob/{commit}/{path}#L{line}",
    "gitlab": "-/blob/{commit}/{path}#L{line}",
    "bitbucket": "src/{commit}/{path}#lines-{line}",
    "codeberg": "src/commit/{commit}/{path}#L{line}",
    "gitea": "src/commit/{commit}/{path}#L{line}",
}


def web_address(layout: Layout) -> str | None:
    """The page of the repository that ``origin`` names; None where it names none."""
    try:
        with (layout.common_dir / "config").open("rb") as file:
            text = file.read(_LARGEST).decode("utf-8", "replace")
    except OSError:
        return None
    remote = _REMOTE.search(text)
    address = _ADDRESS.fullmatch(remote[1]) if remote else None
    return f"https://{address[1].lower()}/{address[2]}" if address else None


def link(web: str | None, commit: str, path: str, line: int) -> str | None:
    """The page of a line in a commit, None where the host's addresses are not known."""
    host = web.split("/")[2] if web else ""
    page = next((form for name, form in _PAGES.items() if name in host), None)
    if page is None:
        return None
    return f"{web}/{page.format(commit=commit, path=quote(path), line=line)}"
