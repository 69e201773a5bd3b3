"""Writes the report for people: Markdown for a wiki, one self-contained page for everybody else."""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from contextlib import suppress
from functools import cache
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from stanch.responder.domain.error import UsageError
from stanch.responder.postmortem.chart import chart, exposed
from stanch.responder.postmortem.markdown import escape_markdown
from stanch.responder.postmortem.report import Report
from stanch.responder.postmortem.text import instant, since, span

_NONE = "\N{EN DASH}"
_FILTERS = {"instant": instant, "span": span}


def markdown(report: Report) -> str:
    """The report as GitHub-flavoured Markdown; text from outside cannot become markup in it."""
    # Not HTML: every expression is escaped for Markdown by ``finalize`` instead.
    env = _environment(autoescape=False)
    env.finalize = escape_markdown
    return env.get_template("postmortem.md.j2").render(
        report=report,
        exposed=exposed,
        since=since,
        # Functions, because what a macro returns would be escaped twice.
        when=lambda at: _NONE if at is None else instant(at),
        after=lambda at: _NONE if at is None else since(at, report.detected_at),
        few=lambda items: ", ".join(items) or "none",
    )


def html(report: Report) -> str:
    """The report as one page: no script, no address to load from, a policy that forbids both."""
    source = style()
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    return _page(
        "postmortem.html.j2",
        report,
        css=Markup(source),  # noqa: S704  # our own file, hashed into the page's policy
        css_hash=digest,
        linked={record.seq for record in report.manifest.records},
    )


def story(report: Report) -> Markup:
    """What was done, by whom, when: the parts of the report that a live page shows."""
    # S704: rendered with autoescape from our own templates.
    return Markup(_page("story.html.j2", report, linked=frozenset()))  # noqa: S704


@cache
def style() -> str:
    """The style sheet of the report."""
    folder = resources.files("stanch.responder.postmortem") / "templates"
    return (folder / "postmortem.css").read_text(encoding="utf-8")


def _page(name: str, report: Report, **shown: object) -> str:
    return (
        _environment(autoescape=True)
        .get_template(name)
        .render(
            report=report,
            exposed=exposed,
            since=since,
            chart=Markup(chart(report)),  # noqa: S704  # escapes its own text
            **shown,
        )
    )


def write(report: Report, folder: Path) -> tuple[Path, Path]:
    """Writes ``LK-7.md`` and ``LK-7.html`` (mode 0600), each whole or not at all; returns both."""
    pages = (folder / f"{report.label}.md", folder / f"{report.label}.html")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path, content in zip(pages, (markdown(report), html(report)), strict=True):
            _replace(path, content)
    except OSError as error:
        raise UsageError(
            f"cannot write the postmortem to {folder}: {error.strerror}",
            remedy="name a folder that you may write to with --output",
        ) from error
    return pages


def _environment(*, autoescape: bool) -> Environment:
    env = Environment(
        loader=PackageLoader("stanch.responder.postmortem"),
        autoescape=autoescape,  # noqa: S701  # False for Markdown alone, which escapes by finalize
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    env.filters.update(_FILTERS)
    return env


def _replace(path: Path, content: str) -> None:
    """Through a new file beside it (mkstemp makes it 0600), so that no reader sees half a page."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise
