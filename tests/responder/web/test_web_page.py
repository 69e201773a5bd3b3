"""What the read-only pages show, and to whom."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from httpx import Client

from stanch.responder.bootstrap import House
from stanch.responder.domain.error import ConfigError
from stanch.responder.domain.ids import IncidentId
from stanch.responder.web.guard import Door, is_loopback, make_door
from stanch.scanner.model.secret import SecretValue

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7*7 }}{% raw %}",
    "javascript:alert(1)",
    "'><svg/onload=alert(1)>",
)
Opened = Callable[[str], IncidentId]


class Elements(HTMLParser):
    """The elements that a browser would make, and their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_incidents_are_listed_newest_first(pages: Client, opened: Opened) -> None:
    for name in ("payments", "billing"):
        opened(name)
    page = pages.get("/").text
    assert page.index("LK-2") < page.index("LK-1")
    assert page.index("billing") < page.index("payments")


def test_closed_ones_stand_apart_and_the_worst_comes_first(
    pages: Client, opened: Opened, house: House
) -> None:
    for name in ("payments", "billing", "shipping"):
        opened(name)
    with house.store.transaction() as tx:
        for number, severity in ((1, "critical"), (3, "low")):
            incident = tx.incidents.get(IncidentId(number))
            assert incident is not None
            tx.incidents.save(replace(incident, severity=severity))
        incident = tx.incidents.get(IncidentId(2))
        assert incident is not None
        tx.incidents.save(incident.closed(incident.detected_at))
    page = pages.get("/").text
    assert "2 open incidents" in page
    places = [page.index(f"/incidents/LK-{n}") for n in (1, 3, 2)]
    assert places == sorted(places)
    assert places[1] < page.index("1 closed") < places[2]


def test_pages_renew_themselves_without_a_script(pages: Client, opened: Opened) -> None:
    opened("payments")
    for path in ("/", "/incidents/LK-1"):
        page = pages.get(path).text
        assert '<meta http-equiv="refresh"' in page
        assert "<script" not in page


def test_a_page_tells_what_was_done_by_whom_and_when(pages: Client, opened: Opened) -> None:
    opened("payments")
    page = pages.get("/incidents/LK-1").text
    for part in ("What was done", "Timeline", "Who agreed", "Where it was visible", "<svg"):
        assert part in page


def test_an_incident_is_its_card(pages: Client, opened: Opened) -> None:
    opened("payments")
    page = pages.get("/incidents/LK-1").text
    assert "UNTRIED · acme token · LK-1" in page
    assert "Nothing has been done yet" in page


def test_a_postmortem_is_one_page(pages: Client, opened: Opened) -> None:
    opened("payments")
    answer = pages.get("/incidents/LK-1/postmortem")
    assert answer.status_code == 200
    assert "LK-1" in answer.text
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_text_of_attackers_makes_no_element(pages: Client, opened: Opened) -> None:
    plain = opened("payments")
    incidents = [opened(text) for text in HOSTILE]
    for page in ("/incidents/LK-{}", "/incidents/LK-{}/postmortem"):
        harmless = Elements(pages.get(page.format(plain)).text)
        for incident in incidents:
            found = Elements(pages.get(page.format(incident)).text)
            assert found.names <= harmless.names
            assert found.attributes <= harmless.attributes
    listed = Elements(pages.get("/").text)
    assert not listed.names & {"script", "img", "svg"}
    assert not {name for name in listed.attributes if name.startswith("on")}


def test_nothing_that_turns_text_around_reaches_a_page(pages: Client, opened: Opened) -> None:
    incident = opened("gnp.\u202eexe\x1b[2J")
    for page in ("/", f"/incidents/LK-{incident}", f"/incidents/LK-{incident}/postmortem"):
        text = pages.get(page).text
        assert not {"\u202e", "\x1b"} & set(text), page


def test_a_failing_page_says_nothing_of_why(pages: Client, house: House) -> None:
    with house.store.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE incidents RENAME COLUMN preview TO elsewhere")
    answer = pages.get("/")
    assert answer.status_code in {500, 503}
    assert "Traceback" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_no_page_may_run_or_load_anything_foreign(pages: Client) -> None:
    for path in ("/", "/style.css", "/incidents/LK-1", "/nothing"):
        headers = pages.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"


def test_what_does_not_exist_says_where_to_start(pages: Client) -> None:
    for path in ("/incidents/LK-99", "/incidents/..%2f", "/incidents/x", "/nothing", "/style.css/"):
        answer = pages.get(path)
        assert answer.status_code == 404
        assert "What helps" in answer.text


def test_pages_can_only_be_read(pages: Client) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert pages.request(method, "/").status_code == 405


# -- who may look --------------------------------------------------------------------------------


def test_a_stranger_sees_nothing(guarded: Client, opened: Opened) -> None:
    opened("payments")
    for path in ("/", "/incidents/LK-1", "/incidents/LK-1/postmortem", "/style.css", "/nothing"):
        answer = guarded.get(path)
        assert answer.status_code == 401
        assert "payments" not in answer.text


def test_a_wrong_token_opens_nothing(guarded: Client) -> None:
    for header in ("", "Bearer", "Bearer wrong", "Basic", "Basic !!", "Basic Og==", "Digest x"):
        assert guarded.get("/", headers={"authorization": header}).status_code == 401
    assert guarded.get("/", headers={b"authorization": b"Bearer \xff"}).status_code == 401


def test_a_browser_gives_the_token_as_a_password(guarded: Client, token: str) -> None:
    basic = base64.b64encode(f"anyone:{token}".encode()).decode()
    assert guarded.get("/", headers={"authorization": f"Basic {basic}"}).status_code == 200


def test_an_unknown_host_name_is_refused_even_with_the_token(pages: Client) -> None:
    assert pages.get("/", headers={"host": "rebound.example"}).status_code == 400
    assert pages.get("/", headers={"host": "stanch.example"}).status_code == 200


def test_probes_need_no_token(guarded: Client) -> None:
    assert guarded.get("/healthz").status_code == 200
    assert guarded.get("/readyz").json() == {"store": True, "broker": True}


def test_a_lost_store_is_not_ready_but_alive(guarded: Client, house: House) -> None:
    path = house.settings.data / "stanch.db"
    house.store.close()
    for file in path.parent.glob("stanch.db*"):
        file.unlink()
    path.mkdir()
    answer = guarded.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"store": False, "broker": True}
    assert guarded.get("/healthz").status_code == 200


# -- where to listen -----------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "stanch.example"])  # noqa: S104
def test_without_a_token_only_this_machine_is_served(host: str) -> None:
    with pytest.raises(ConfigError, match="open to everybody"):
        make_door(None, host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.0.1"])
def test_this_machine_needs_no_token(host: str) -> None:
    assert is_loopback(host)
    assert make_door(None, host=host).opens("")


def test_a_short_token_is_refused_without_repeating_it() -> None:
    with pytest.raises(ConfigError) as refusal:
        make_door(SecretValue(b"hunter2"), host="127.0.0.1")
    assert "hunter2" not in f"{refusal.value}{refusal.value.remedy}"


def test_a_door_does_not_show_its_token() -> None:
    assert "hunter2" not in repr(Door(SecretValue(b"hunter2")))


def test_numbers_are_for_who_holds_the_token(guarded: Client, token: str) -> None:
    assert guarded.get("/metrics").status_code == 401
    answer = guarded.get("/metrics", headers={"authorization": f"Bearer {token}"})
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "stanch_record_entries " in answer.text
