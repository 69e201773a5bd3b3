"""Pages from what the services know; pure. Every text is escaped by the templates."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from stanch.responder.domain.card import CLAIMED, LINK, Card
from stanch.responder.domain.ids import label
from stanch.responder.postmortem import render
from stanch.responder.postmortem.text import clean
from stanch.responder.services.listing import Row

MOST = 500  # rows; the worst and newest matter
_LONGEST = 2000  # characters of one value
_SPAN = re.compile(r"`([^`]+)`")


def list_page(rows: tuple[Row, ...], more: int, warning: str | None = None) -> str:
    """What is open and what is wanted; what is closed stands apart.

    ``warning`` is said before them: that the store or the record was tampered with.
    """
    return _render(
        "list.html.j2",
        warning=warning,
        open=[row for row in rows if not row.closed],
        closed=[row for row in rows if row.closed],
        more=more,
    )


def card_page(card: Card, story: Markup) -> str:
    """One incident: its card, and below it what was done, by whom, when."""
    return _render(
        "card.html.j2",
        card=card,
        label=label(card.incident),
        story=story,
        claimed=CLAIMED,
        link=LINK,
    )


def fault_page(what: str, remedy: str) -> str:
    """What is wrong, and what helps."""
    return _render("fault.html.j2", what=what, remedy=remedy)


@cache
def style() -> str:
    """The style sheet: the postmortem's, and what only these pages have."""
    folder = resources.files("stanch.responder.web") / "templates"
    return render.style() + (folder / "stanch.css").read_text(encoding="utf-8")


def coded(text: str) -> Markup:
    """Text in which what stands between backticks is a command."""
    # Escaped first: what is put around it is ours.
    safe = str(escape(clean(text, _LONGEST)))
    return Markup(_SPAN.sub(r"<code>\1</code>", safe))  # noqa: S704


@cache
def _environment() -> Environment:
    env = Environment(
        loader=PackageLoader("stanch.responder.web"),
        autoescape=True,  # for every file, whatever its name ends with
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(coded=coded, label=label)
    env.finalize = _visible
    return env


def _visible(value: object) -> object:
    """Escaping keeps markup out; what steers a terminal or turns text around stays in."""
    plain = isinstance(value, str) and not isinstance(value, Markup)
    return clean(str(value), _LONGEST) if plain else value


def _render(name: str, **shown: object) -> str:
    return _environment().get_template(name).render(**shown)
