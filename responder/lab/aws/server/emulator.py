"""Loads MiniStack with the lab's corrections in place and puts the gate before it."""
# ruff: noqa: SLF001  # MiniStack has no public hooks; its version is pinned

from __future__ import annotations

import importlib
import json
from types import SimpleNamespace
from typing import Any

from stanch.responder.lab.aws.server import identity, kms, registry, secret, simulation
from stanch.responder.lab.aws.server.control import Control
from stanch.responder.lab.aws.server.gate import Gate
from stanch.responder.lab.aws.server.journal import Journal
from stanch.responder.lab.aws.server.state import State
from stanch.responder.lab.aws.server.trail import LookupRefused

Sessions = dict[str, dict[str, Any]]  # MiniStack's record of each temporary credential


def build(state: State) -> Gate:
    """The application to serve. The environment must be set before (``__main__``)."""
    # The evaluator first: the services take references to its functions when they load.
    evaluator = importlib.import_module("ministack.core.iam_evaluator")
    identity.patch_root(evaluator)
    iam = importlib.import_module("ministack.services.iam")
    sessions: Sessions = {}
    propagation = identity.patch_evaluator(evaluator, iam, sessions, state)
    sts: Any = importlib.import_module("ministack.services.sts")
    sts._sessions = sessions
    identity.patch_key_ids(iam, sts, state)
    identity.patch_last_use(iam, state)
    simulation.patch_simulation(iam, evaluator)
    propagation.wrap_writes()
    secret.patch_versions(importlib.import_module("ministack.services.secretsmanager"))
    kms.patch_decrypt(importlib.import_module("ministack.services.kms"))
    registry.patch_archive(importlib.import_module("ministack.services.ecr"))
    responses = importlib.import_module("ministack.core.responses")
    _patch_lookup(importlib.import_module("ministack.services.cloudtrail"), responses, state)
    app = importlib.import_module("ministack.app")

    async def wipe() -> None:
        app._reset_all_state()
        propagation.settle()
        state.trail.events.clear()
        state.journal = Journal()
        state.faults.waiting.clear()
        state.last_uses.clear()
        identity.plant_admin(iam, state, responses.request_scope)

    identity.plant_admin(iam, state, responses.request_scope)
    ministack = SimpleNamespace(
        app=app,
        router=importlib.import_module("ministack.core.router"),
        iam_actions=importlib.import_module("ministack.core.iam_actions"),
    )
    return Gate(ministack, state, Control(state, propagation, wipe))


def _patch_lookup(cloudtrail: Any, responses: Any, state: State) -> None:
    def lookup(query: dict[str, Any]) -> Any:
        try:
            found = state.trail.lookup(query, region=responses.get_region(), now=state.clock())
        except LookupRefused as err:
            return cloudtrail._err(err.code, err.message)
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(found).encode()

    cloudtrail._DISPATCH["LookupEvents"] = lookup
