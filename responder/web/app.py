"""The web door: read-only pages and the two probes. It decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from stanch.responder.domain.card import Card
from stanch.responder.domain.error import StanchError, UsageError
from stanch.responder.domain.ids import IncidentId, parse_label
from stanch.responder.services.health import Health
from stanch.responder.services.listing import Row
from stanch.responder.telemetry.exposition import TYPE
from stanch.responder.telemetry.log import get_logger
from stanch.responder.web.guard import SELF_CONTAINED, Door, Guard
from stanch.responder.web.hook import Take, hook_route
from stanch.responder.web.page import MOST, card_page, fault_page, list_page, style

log = get_logger(__name__)

LOCAL = ("127.0.0.1", "localhost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the pages show. All calls may come from any thread; ``UsageError``: no such incident."""

    incidents: Callable[[int], tuple[tuple[Row, ...], int]]  # at most so many; how many are left
    card: Callable[[IncidentId], Card]
    story: Callable[[IncidentId], Markup]  # what was done, by whom, when
    postmortem: Callable[[IncidentId], str]  # one self-contained HTML page
    warning: Callable[[], str | None]  # what is said before everything else


def make_web(
    reading: Reading | None,
    *,
    health: Health,
    door: Door,
    hosts: tuple[str, ...] = (),
    hooks: Take | None = None,
    metrics: Callable[[], str] | None = None,
) -> ASGIApp:
    """The application. It answers to the names in ``hosts`` and to this machine's own only.

    Without a ``reading`` there are no pages, without ``hooks`` nobody takes webhooks, without
    ``metrics`` there are no numbers.

    A page of another site could otherwise point its own name at our address (DNS rebinding).
    """
    probes = _Probes(health)
    inner = Starlette(
        routes=[
            Route("/healthz", probes.alive),
            Route("/readyz", probes.ready),
            *(_routes(_Pages(reading)) if reading else ()),
            *((hook_route(hooks),) if hooks else ()),
            *((_metrics_route(metrics),) if metrics else ()),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=[*LOCAL, *hosts], www_redirect=False)
        ],
        exception_handlers={StanchError: _fault, HTTPException: _missing, Exception: _broken},
    )
    inner.router.redirect_slashes = False
    # Around everything, not as a middleware: those stand inside of what answers a failure.
    return Guard(inner, door=door)


def _routes(pages: _Pages) -> list[Route]:
    return [
        Route("/", pages.index),
        Route("/style.css", pages.style),
        Route("/incidents/{incident}", pages.card),
        Route("/incidents/{incident}/postmortem", pages.postmortem),
    ]


def _metrics_route(metrics: Callable[[], str]) -> Route:
    def numbers(_: Request) -> Response:
        return Response(metrics(), headers={"content-type": TYPE})

    return Route("/metrics", numbers)


class _Pages:
    """The handlers. They are plain functions, so Starlette runs them in threads."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def index(self, _: Request) -> Response:
        rows, more = self._reading.incidents(MOST)
        return HTMLResponse(list_page(rows, more, self._reading.warning()))

    def card(self, request: Request) -> Response:
        number = _incident(request)
        return HTMLResponse(card_page(self._reading.card(number), self._reading.story(number)))

    def postmortem(self, request: Request) -> Response:
        page = self._reading.postmortem(_incident(request))
        return HTMLResponse(page, headers={"content-security-policy": SELF_CONTAINED})

    def style(self, _: Request) -> Response:
        return Response(style(), media_type="text/css")


class _Probes:
    """Is this process alive, and can it do its work?"""

    def __init__(self, health: Health) -> None:
        self._health = health

    def alive(self, _: Request) -> Response:
        return PlainTextResponse("ok\n")

    def ready(self, _: Request) -> Response:
        parts = self._health.look()
        return JSONResponse(dict(parts), status_code=200 if all(parts.values()) else 503)


def _incident(request: Request) -> IncidentId:
    return parse_label(str(request.path_params["incident"]))


def _fault(_: Request, error: Exception) -> Response:
    remedy = error.remedy if isinstance(error, StanchError) else ""
    status = 404 if isinstance(error, UsageError) else 503
    return HTMLResponse(fault_page(str(error), remedy), status_code=status)


def _missing(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    told = {405: "This page can only be read.", 413: "That is too large."}
    said = told.get(status, "There is no such page.")
    return HTMLResponse(fault_page(said, "start at /"), status_code=status, headers=headers)


def _broken(_: Request, error: Exception) -> Response:
    log.error("page.failed", exc_info=error)
    return HTMLResponse(fault_page("This did not work.", "look into the log"), status_code=500)
