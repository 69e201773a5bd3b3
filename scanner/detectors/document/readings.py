"""Every kind of document that a rule may name, and where in a text it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stanch.scanner.detectors.document.budget import Budget
from stanch.scanner.detectors.document.cookie import session
from stanch.scanner.detectors.document.google_key import authorized_user, service_account
from stanch.scanner.detectors.document.held import Held, Reading
from stanch.scanner.detectors.document.jwk import private_member
from stanch.scanner.detectors.document.kubernetes import secrets
from stanch.scanner.detectors.document.nested import inner_value
from stanch.scanner.detectors.document.pair import name_and_value
from stanch.scanner.detectors.document.reader import around
from stanch.scanner.detectors.document.runner import secret_variable
from stanch.scanner.detectors.document.terraform import (
    random_password,
    sensitive_attribute,
    sensitive_output,
)

READINGS: dict[str, Reading] = {
    "google-authorized-user": authorized_user,
    "google-service-account": service_account,
    "jwk": private_member,
    "kubernetes-secret": secrets,
    "name-and-value": name_and_value,
    "nested-value": inner_value,
    "runner-secret": secret_variable,
    "session-cookie": session,
    "terraform-attribute": sensitive_attribute,
    "terraform-output": sensitive_output,
    "terraform-random-password": random_password,
}

#: Documents whose names tell more than the place: whatever rule names the value, they are shown.
NAMED = frozenset({"runner-secret"})


def values(name: str, data: bytes, places: Iterable[int], budget: Budget) -> Iterator[Held]:
    """The values in the documents around ``places``, each of which is where a key begins."""
    read = READINGS[name]
    for place in places:
        found = around(data, place, budget)
        if found is not None:
            yield from read(data, found, budget)
        if budget.spent:
            return
