"""One image is taken out of reach, seen to be so, and brought back; its neighbours stay."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from stanch.responder.domain.copy import Reach
from stanch.responder.domain.error import Retryable, StepFailed
from stanch.responder.domain.step import BY, SOMEBODY, Absent, NotYet, Present
from stanch.responder.providers.aws.adapter.image import image_of

ARCHIVE = "aws.ecr.archive_image"
RESTORE = "aws.ecr.restore_image"
HOST = "{account}.dkr.ecr.{region}.amazonaws.com"

# The bench lives in conftest.py, which pytest does not let us import by name.
Bench = Any


@dataclass(frozen=True, slots=True)
class Pushed:
    """Two images in one repository, and the first as a target."""

    bench: Bench
    leaky: str
    other: str

    @property
    def copy(self) -> str:
        lab = self.bench.lab
        host = HOST.format(account=lab.account_id, region=lab.region)
        return f"image:{host}/team/app@{self.leaky}"

    def pulled(self, **image: str) -> bool:
        """Whether the registry gives it out."""
        found = self.bench.lab.client("ecr").batch_get_image(
            repositoryName="team/app", imageIds=[image]
        )
        return bool(found["images"])


@pytest.fixture
def pushed(bench: Bench) -> Pushed:
    ecr = bench.lab.client("ecr")
    ecr.create_repository(repositoryName="team/app")
    made = [_push(bench, n) for n in ("leaky", "other")]
    return Pushed(bench, *made)


def _push(bench: Bench, tag: str) -> str:
    manifest = json.dumps({"schemaVersion": 2, "tag": tag})
    put = bench.lab.client("ecr").put_image(
        repositoryName="team/app", imageTag=tag, imageManifest=manifest
    )
    return str(put["image"]["imageId"]["imageDigest"])


def test_an_archived_image_cannot_be_pulled_and_its_neighbour_can(pushed: Pushed) -> None:
    assert pushed.pulled(imageTag="leaky")
    done = pushed.bench.do(ARCHIVE, copy=pushed.copy)
    assert done.evidence["image"] == "ARCHIVED"
    assert (done.outputs["copy"], done.outputs["state"]) == (pushed.copy, Reach.AWAY)
    assert "--target-storage-class STANDARD" in done.outputs["how"]
    assert not pushed.pulled(imageTag="leaky")
    assert not pushed.pulled(imageDigest=pushed.leaky)
    assert pushed.pulled(imageTag="other")
    assert isinstance(pushed.bench.observe(ARCHIVE, copy=pushed.copy), Present)
    assert pushed.bench.count("UpdateImageStorageClass") == 1


def test_undo_brings_it_back_as_it_was(pushed: Pushed) -> None:
    pushed.bench.do(ARCHIVE, copy=pushed.copy)
    back = pushed.bench.undo(ARCHIVE)
    assert back.outputs["state"] == Reach.OPEN
    assert pushed.pulled(imageTag="leaky")


def test_what_was_archived_before_us_stays_so(pushed: Pushed) -> None:
    pushed.bench.lab.client("ecr").update_image_storage_class(
        repositoryName="team/app",
        imageId={"imageDigest": pushed.leaky},
        targetStorageClass="ARCHIVE",
    )
    seen = pushed.bench.do(ARCHIVE, copy=pushed.copy)
    assert seen.outputs["state"] == Reach.AWAY
    pushed.bench.undo(ARCHIVE)
    assert not pushed.pulled(imageTag="leaky")


def test_an_answer_is_no_evidence_that_it_is_out_of_reach(
    pushed: Pushed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "stanch.responder.providers.aws.steps.image.store_as", lambda *_: {"answer": "ARCHIVED"}
    )
    assert isinstance(pushed.bench.observe(ARCHIVE, copy=pushed.copy), Absent)
    pushed.bench.act(ARCHIVE, copy=pushed.copy)
    assert isinstance(pushed.bench.look(ARCHIVE, copy=pushed.copy), NotYet)


def test_a_lost_answer_is_found_as_done_and_undo_asks_who_it_was(pushed: Pushed) -> None:
    pushed.bench.observe(ARCHIVE, copy=pushed.copy)
    pushed.bench.lab.fault("ecr:UpdateImageStorageClass", "lost-answer")
    with pytest.raises(Retryable):
        pushed.bench.act(ARCHIVE, copy=pushed.copy)
    seen = pushed.bench.observe(ARCHIVE, copy=pushed.copy)
    assert isinstance(seen, Present)
    assert seen.ours is None
    with pytest.raises(StepFailed, match="who archived"):
        pushed.bench.observe(
            RESTORE, copy=pushed.copy, before={"image": "ACTIVE"}, evidence={BY: SOMEBODY}
        )


def test_an_image_that_was_deleted_is_gone(pushed: Pushed) -> None:
    pushed.bench.lab.client("ecr").batch_delete_image(
        repositoryName="team/app", imageIds=[{"imageDigest": pushed.leaky}]
    )
    assert pushed.bench.do(ARCHIVE, copy=pushed.copy).outputs["state"] == Reach.GONE
    assert pushed.bench.count("UpdateImageStorageClass") == 0


def test_registries_of_others_are_not_touched_and_refusals_are_said(pushed: Pushed) -> None:
    theirs = pushed.copy.replace(pushed.bench.lab.account_id, "999999999999")
    with pytest.raises(StepFailed, match="not among our accounts"):
        pushed.bench.observe(ARCHIVE, copy=theirs)
    with pytest.raises(StepFailed, match="no image of Amazon ECR"):
        pushed.bench.observe(ARCHIVE, copy="image:registry.example/app@sha256:" + "a" * 64)


def test_the_plan_shows_the_exact_call_and_what_comes_of_it(pushed: Pushed) -> None:
    step: Any = pushed.bench.steps[ARCHIVE]
    call, note = step.calls(step.spec.params(copy=pushed.copy), "AKIA…7Q2M")
    assert str(call) == (
        f"ecr:UpdateImageStorageClass registryId={pushed.bench.lab.account_id} "
        f"repositoryName=team/app imageId={pushed.leaky} region={pushed.bench.lab.region} "
        "targetStorageClass=ARCHIVE"
    )
    assert "gets 404" in str(note)
    step.calls(step.spec.params(copy="‹item.copy›"), "AKIA…7Q2M")


@pytest.mark.parametrize(
    "target",
    [
        "image:registry.example/app@sha256:" + "a" * 64,
        "image:123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.0",
        "image:123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example/a@sha256:" + "a" * 64,
        "log:github/github.com/acme/app/runs/1",
    ],
)
def test_only_a_digest_in_ecr_is_an_image_of_ecr(target: str) -> None:
    assert image_of(target) is None
