"""What is watched in AWS: pushes to ECR by EventBridge and SQS, and log groups, on the emulator."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from stanch.responder.domain.watched import Source
from stanch.responder.lab.aws.lab import AwsLab
from tests.responder.watch.conftest import Post, Watches, watching
from tests.scanner.conftest import github_token
from tests.scanner.sources.http.conftest import Host, host
from tests.scanner.sources.http.test_image_registry import _double, _served
from tests.scanner.sources.image_sample import Layer, digest

__all__ = ["host", "watching"]

Start = Callable[[], Host]
QUEUE, GROUP = "pushes", "/app/prod"


@pytest.fixture
def ours(running_lab: AwsLab, monkeypatch: pytest.MonkeyPatch) -> AwsLab:
    """The lab, found by whoever asks AWS."""
    admin = running_lab.admin
    for name, value in {
        "AWS_ENDPOINT_URL": running_lab.endpoint_url,
        "AWS_ACCESS_KEY_ID": admin.access_key_id,
        "AWS_SECRET_ACCESS_KEY": admin.secret,
    }.items():
        monkeypatch.setenv(name, value)
    return running_lab


def due(post: Post, kind: str) -> Source:
    for source in post.sources():
        if source.kind == kind:
            post.due(source.subject)
            return source
    raise AssertionError(kind)


@pytest.fixture
def queue(ours: AwsLab) -> str:
    """A queue into which EventBridge puts what ECR says."""
    sqs, events = ours.client("sqs"), ours.client("events")
    url: str = sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    # Nobody but AWS may say that he is AWS, so the rule says it of what the lab sends.
    paths = {name: f"$.{name}" for name in ("id", "account", "region", "detail")}
    told = "".join(f', "{name}": <{name}>' for name in paths)
    transformer = {"InputPathsMap": paths, "InputTemplate": f'{{"source": "aws.ecr"{told}}}'}
    target = {"Id": "q", "Arn": arn["QueueArn"], "InputTransformer": transformer}
    pattern = json.dumps({"source": ["lab.ecr"]})
    events.put_rule(Name="pushes", EventPattern=pattern, State="ENABLED")
    events.put_targets(Rule="pushes", Targets=[target])
    sqs.purge_queue(QueueUrl=url)
    return url


def push(lab: AwsLab, name: str, **changes: str) -> None:
    detail = {
        "action-type": "PUSH",
        "result": "SUCCESS",
        "repository-name": "team/app",
        "image-digest": name,
        "image-tag": "1.4",
        **changes,
    }
    lab.client("events").put_events(
        Entries=[
            {
                "Source": "lab.ecr",
                "DetailType": "ECR Image Action",
                "Detail": json.dumps(detail),
            }
        ]
    )


def waiting(lab: AwsLab, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = lab.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return sum(int(found["Attributes"][name]) for name in names)


@pytest.fixture
def watched(
    queue: str, host: Start, watching: Watches, monkeypatch: pytest.MonkeyPatch
) -> tuple[Post, Host, str]:
    """A registry with one image in it, and a house that watches the queue."""
    monkeypatch.setattr("stanch.responder.watch.queue._WAIT", 0)
    double = _double(Layer(files={"app/.env": f"TOKEN={github_token(3)}\n".encode()}))
    registry = _served(host, double)
    name = digest(double.tags["1.0"])
    post = watching(
        "[watch.images]", 'kind = "ecr"', f'of = "{queue}"', f'registry = "{registry.name}"'
    )
    return post, registry, name


def test_a_push_to_ecr_is_scanned_once(
    ours: AwsLab, queue: str, watched: tuple[Post, Host, str]
) -> None:
    post, registry, name = watched
    push(ours, name)
    assert post.look(), [each.error for each in post.sources()]
    assert [place.rpartition("/")[2] for place in post.places()] == [".env:1"]
    assert waiting(ours, queue) == 0
    asked = len(registry.asked)
    push(ours, name)  # the same image under another tag
    push(ours, name, **{"action-type": "DELETE"})
    due(post, "queue")
    assert post.look()
    assert len(registry.asked) == asked
    assert waiting(ours, queue) == 0
    (image,) = [each for each in post.sources() if each.kind == "image"]
    assert (image.due_at, image.wanted) == (None, 1)


def test_a_message_that_comes_twice_has_one_effect(
    ours: AwsLab, queue: str, watched: tuple[Post, Host, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    post, _, name = watched
    push(ours, name)
    kept = "stanch.responder.watch.queue._removed"
    with monkeypatch.context() as patched:
        patched.setattr(kept, lambda *_: None)  # killed before it was taken out
        assert post.look()
    before = post.sources()
    monkeypatch.setattr("stanch.responder.watch.queue._HELD", 0)
    _show_again(ours, queue)
    due(post, "queue")
    assert post.look()
    assert [each.wanted for each in post.sources() if each.kind == "image"] == [1]
    assert len(post.sources()) == len(before)


def _show_again(lab: AwsLab, url: str) -> None:
    """As if the time for which a message is hidden were over: what a second delivery looks like."""
    sqs = lab.client("sqs")
    for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )


@pytest.mark.parametrize(
    "body",
    ["", "[]", '{"source": "aws.ecr", "id": "1", "detail": {"repository-name": "../x"}}'],
)
def test_what_is_no_event_is_taken_out_and_has_no_effect(
    ours: AwsLab, queue: str, watched: tuple[Post, Host, str], body: str
) -> None:
    post = watched[0]
    ours.client("sqs").send_message(QueueUrl=queue, MessageBody=body or " ")
    assert post.look()
    assert [each.kind for each in post.sources()] == ["queue"]
    assert waiting(ours, queue) == 0


@pytest.fixture
def say(ours: AwsLab) -> Any:
    """Puts lines into a stream of the group."""
    logs = ours.client("logs")
    names = [each["logGroupName"] for each in logs.describe_log_groups()["logGroups"]]
    if GROUP in names:
        logs.delete_log_group(logGroupName=GROUP)
    logs.create_log_group(logGroupName=GROUP)
    made: set[str] = set()

    def put(stream: str, *lines: str) -> None:
        if stream not in made:
            logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
            made.add(stream)
        now = int(time.time() * 1000)
        events = [{"timestamp": now + n, "message": line} for n, line in enumerate(lines)]
        logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)

    return put


@pytest.fixture
def group(say: Any, watching: Watches) -> Post:
    say("a", "hello", f"key {github_token(1)}")
    return watching("[watch.prod]", 'kind = "cloudwatch"', f'of = "us-east-1/{GROUP}"')


def test_a_log_group_is_read_from_where_it_was_left(group: Post, say: Any) -> None:
    assert group.look(), [each.error for each in group.sources()]
    assert group.places() == [f"{GROUP}/a:2"]
    say("a", "more", f"key {github_token(2)}")
    say("b", f"key {github_token(4)}")
    due(group, "cloudwatch")
    assert group.look()
    assert sorted(group.places()) == [f"{GROUP}/a:2", f"{GROUP}/a:4", f"{GROUP}/b:1"]
    (source,) = group.sources()
    streams = source.cursor["streams"]
    assert isinstance(streams, dict)
    assert {name: each["line"] for name, each in streams["of"].items()} == {"a": 4, "b": 1}


def test_a_stream_that_was_not_read_is_owed(
    group: Post, say: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stanch.scanner.sources.log.provider import aws  # noqa: PLC0415  # patched here alone

    def broken(*_: Any) -> Any:
        raise OSError(5, "broken pipe")

    with monkeypatch.context() as patched:
        patched.setattr(aws._Events, "_page", broken)
        assert not group.look()
    (source,) = group.sources()
    assert (source.tries, group.places()) == (1, [])
    say("b", f"key {github_token(4)}")
    due(group, "cloudwatch")
    assert group.look()
    assert sorted(group.places()) == [f"{GROUP}/a:2", f"{GROUP}/b:1"]


def test_from_now_on_leaves_what_was_there(say: Any, watching: Watches) -> None:
    say("a", f"key {github_token(1)}")
    time.sleep(0.01)  # events have milliseconds
    lines = ("[watch.prod]", 'kind = "cloudwatch"', f'of = "us-east-1/{GROUP}"', 'begin = "now"')
    post = watching(*lines)
    assert post.look()
    say("a", f"key {github_token(2)}")
    due(post, "cloudwatch")
    assert post.look()
    assert len(post.places()) == 1
