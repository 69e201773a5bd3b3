from __future__ import annotations

from datetime import UTC, datetime, timedelta

from stanch.responder.lifecycle.model.environment import Environment
from stanch.responder.lifecycle.model.kind import TARGETS, Kind, Trigger
from stanch.responder.lifecycle.model.metadata import KEYS, REQUIRED, Metadata, period_text, read
from stanch.responder.lifecycle.model.reference import parse
from stanch.responder.lifecycle.model.segregation import Place, breaches

TAGS = {f"stanch:{name}": key.example for name, key in KEYS.items()}
API_KEY = parse("secret://payments/prod/stripe/api-key")


def whole(**changed: str) -> Metadata:
    found = read(TAGS | {f"stanch:{key.replace('_', '-')}": text for key, text in changed.items()})
    assert found.metadata is not None, found.problem
    return found.metadata


def test_every_required_key_that_lacks_is_named() -> None:
    assert read({}).missing == REQUIRED
    for name in REQUIRED:
        found = read({key: text for key, text in TAGS.items() if key != f"stanch:{name}"})
        assert (found.metadata, found.missing) == (None, (name,))
        assert found.problem == f"{name} missing"


def test_what_is_wrong_is_named_with_its_form() -> None:
    found = read(TAGS | {"stanch:rotation-period": "soon", "stanch:data-classification": "secret"})
    assert found.metadata is None
    assert found.problem == (
        "data-classification is not one of public, internal, confidential, restricted, personal; "
        "rotation-period is not a period such as 90d or 8h"
    )


def test_what_is_right_is_read() -> None:
    found = whole(rotation_period="8h", last_rotated="2026-11-30T10:00:00+02:00")
    assert found.rotation_period == timedelta(hours=8)
    assert period_text(found.rotation_period) == "8h"
    assert found.last_rotated == datetime(2026, 11, 30, 8, tzinfo=UTC)
    assert period_text(timedelta(days=90)) == "90d"


def test_a_kind_s_target_counts_where_the_period_is_longer() -> None:
    slow = whole(kind="database", rotation_period="365d", last_rotated="2026-11-01")
    assert slow.due_at() == datetime(2026, 12, 1, tzinfo=UTC)
    quick = whole(kind="database", rotation_period="7d", last_rotated="2026-11-01")
    assert quick.due_at() == datetime(2026, 11, 8, tzinfo=UTC)


def test_every_kind_has_a_target_and_a_compromise_ends_each() -> None:
    assert set(TARGETS) == set(Kind)
    assert all(Trigger.COMPROMISE in target.triggers for target in TARGETS.values())
    assert TARGETS[Kind.HUMAN_ACCESS].within == timedelta(hours=8)
    assert Trigger.PERSONNEL in TARGETS[Kind.DATABASE].triggers


def rules(reference: str, metadata: Metadata | None, place: Place) -> list[str]:
    return [each.rule for each in breaches(parse(reference), metadata, place)]


def test_a_development_secret_is_nothing_for_production_and_the_other_way_round() -> None:
    production, desk = (
        Place(environment=Environment.PRODUCTION),
        Place(environment=Environment("dev")),
    )
    assert rules("secret://payments/dev/stripe/api-key", None, production) == ["environment"]
    assert rules("secret://payments/prod/stripe/api-key", None, desk) == ["environment"]
    assert rules("secret://payments/prod/stripe/api-key", whole(), production) == []


def test_a_name_does_not_make_a_secret_of_another_environment_or_service() -> None:
    place = Place(environment=Environment.PRODUCTION, service="payments")
    assert rules(str(API_KEY), whole(environment="dev"), place) == ["environment"]
    assert rules(str(API_KEY), whole(service="risk"), place) == ["service"]


def test_services_and_tenants_do_not_share() -> None:
    risk = Place(environment=Environment.PRODUCTION, service="risk")
    assert rules(str(API_KEY), whole(), risk) == ["service"]
    acme = Place(environment=Environment.PRODUCTION, service="payments", tenant="acme")
    assert rules(str(API_KEY), whole(), acme) == ["tenant"]
    assert rules(str(API_KEY), whole(tenant="acme"), acme) == []
    nobody = Place(environment=Environment.PRODUCTION, service="payments")
    assert rules(str(API_KEY), whole(tenant="acme"), nobody) == ["tenant"]
