"""Pages from what the services know; pure. Every text is escaped by the templates."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined

from stanch.responder.domain.card import Card
from stanch.responder.domain.ids import label
from stanch.responder.domain.incident import Incident
from stanch.responder.postmortem.text import clean

_LONGEST = 2000  # characters of one value
_MOST = 500  # rows; the newest matter


def list_page(
    incidents: tuple[Incident, ...],
    credential: Callable[[Incident], str],
    warning: str | None = None,
) -> str:
    """All incidents, newest first, as given; ``credential`` names what leaked.

    ``warning`` is said before them: that the store or the record was tampered with.
    """
    rows = [
        {
            "label": label(each.id),
            "state": str(each.state),
            "severity": each.severity,
            "credential": f"{credential(each)} {each.preview}",
            "root": each.root,
            "detected_at": each.detected_at,
        }
        for each in incidents[:_MOST]
    ]
    return _render("list.html.j2", warning=warning, rows=rows, more=max(0, len(incidents) - _MOST))


def card_page(card: Card) -> str:
    """One incident as its card says it."""
    return _render("card.html.j2", card=card, label=label(card.incident))


def fault_page(what: str, remedy: str) -> str:
    """What is wrong, and what helps."""
    return _render("fault.html.j2", what=what, remedy=remedy)


@cache
def style() -> str:
    """The style sheet."""
    folder = resources.files("stanch.responder.web") / "templates"
    return (folder / "stanch.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("stanch.responder.web"),
        autoescape=True,  # for every file, whatever its name ends with
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Escaping keeps markup out; what steers a terminal or turns the direction of text stays in.
    environment.filters["shown"] = lambda text: clean(str(text), _LONGEST)
    return environment


def _render(name: str, **shown: object) -> str:
    return _environment().get_template(name).render(**shown)
