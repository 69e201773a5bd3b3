"""``stanch evidence export`` over a real incident's record."""

from __future__ import annotations

import json

from tests.responder.cli.conftest import Desk


def test_a_real_incident_is_evidence_with_its_proof(case: Desk) -> None:
    done = case.stanch("evidence", "export", "--period", "1d")
    assert done.code == 0, done.out + done.err
    words = json.loads(done.out)
    assert words["proof"]["intact"]
    assert words["proof"]["anchored"] == words["proof"]["entries"] > 0
    assert words["proof"]["anchors"]
    by_id = {each["control"]: each for each in words["controls"]}
    incidents = by_id["IR-4"]["measures"][0]
    assert incidents["values"]["incident.opened"] == 1
    assert by_id["CC6.8"]["status"] == "not measured"
