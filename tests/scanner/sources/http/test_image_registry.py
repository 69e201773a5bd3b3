"""Images in registries: getting in, being refused, broken connections, and nobody else's login."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.api import Scanner, SourceError, UsageError
from stanch.scanner.local.hosts import Hosts
from stanch.scanner.model.provenance import InImage
from stanch.scanner.sources.http.answer import Answer
from stanch.scanner.sources.image.access import Access
from stanch.scanner.sources.image.ecr import login
from stanch.scanner.sources.image.reference import parsed
from tests.scanner.conftest import Outcome, github_token, sorted_out
from tests.scanner.sources.http.conftest import Host, reply
from tests.scanner.sources.image_sample import (
    INDEX,
    MANIFEST,
    Blobs,
    Image,
    Layer,
    described,
    digest,
    index,
    manifest,
)

Starts = Callable[[], Host]
Scan = Callable[[str], Outcome]


def _env(number: int) -> bytes:
    return f"TOKEN={github_token(number)}\n".encode()


@pytest.fixture
def image(scanner: Scanner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scan:
    monkeypatch.setenv("STANCH_CONFIG", str(tmp_path / "stanch.toml"))
    (tmp_path / "stanch.toml").touch()
    return lambda name: sorted_out(iter(scanner.scan_image(name)))


_LOGIN = 'user = "ann"\npassword = "env:REGISTRY_PASSWORD"'


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Write an entry for a host: a login, or something else."""

    def write(host: str, entry: str = _LOGIN) -> None:
        monkeypatch.setenv("REGISTRY_PASSWORD", "s3cret-of-ours")
        with (tmp_path / "stanch.toml").open("a") as file:
            file.write(f'[hosts."{host}"]\n{entry}\n')

    return write


@dataclass
class Double:
    """What a registry does, as far as a case asks for it."""

    blobs: Blobs
    tags: dict[str, bytes]
    referrers: dict[str, bytes] = field(default_factory=dict)
    guard: Callable[[BaseHTTPRequestHandler], bool] = lambda _: True
    breaks: int = 0  # how often a blob ends too early

    def __call__(self, asked: BaseHTTPRequestHandler) -> None:
        if not self.guard(asked):
            return
        path = asked.path.partition("?")[0]
        kind, _, name = path.removeprefix("/v2/team/app/").partition("/")
        if kind == "manifests":
            data = self.tags.get(name) or self.blobs.get(name)
        elif kind == "referrers":
            data = self.referrers.get(name)
        elif kind == "tags":
            data = json.dumps({"name": "team/app", "tags": list(self.tags)}).encode()
        else:
            data = self.blobs.get(name)
        if data is None:
            reply(asked, 404)
        elif kind == "blobs":
            self._blob(asked, data)
        else:
            reply(asked, 200, data)

    def _blob(self, asked: BaseHTTPRequestHandler, data: bytes) -> None:
        ranged = re.match(r"bytes=(\d+)-", asked.headers.get("range", ""))
        rest = data[int(ranged[1]) :] if ranged else data
        if self.breaks and len(rest) > 500:
            self.breaks -= 1
            asked.send_response(206 if ranged else 200)
            asked.send_header("content-range", f"bytes {ranged[1]}-/*" if ranged else "none")
            asked.send_header("content-length", str(len(rest)))
            asked.end_headers()
            asked.wfile.write(rest[: len(rest) // 2])
            asked.close_connection = True
            return
        span = f"bytes {ranged[1]}-{len(data) - 1}/{len(data)}" if ranged else "none"
        reply(asked, 206 if ranged else 200, rest, content_range=span)


def _double(*layers: Layer) -> Double:
    blobs: Blobs = {}
    made = manifest(blobs, Image(layers=layers or [Layer(files={"x.env": _env(1)})]))
    return Double(blobs=blobs, tags={"1.0": blobs[made["digest"]]})


def _served(host: Starts, double: Double) -> Host:
    made = host()
    made.answer = double
    return made


def test_an_image_is_read_by_tag_and_by_digest(host: Starts, image: Scan) -> None:
    double = _double()
    made = _served(host, double)
    said = digest(double.tags["1.0"])
    for name in ("team/app:1.0", f"team/app@{said}", f"team/app:other@{said}"):
        outcome = image(f"{made.name}/{name}")
        assert outcome.secrets == [github_token(1)]
        assert not outcome.incomplete
        place = outcome.matches[0].finding.provenance
        assert isinstance(place, InImage)
        assert place.manifest == said
        assert place.image == f"image:{made.name}/{name}"
        assert place.copies == (f"image:{made.name}/team/app@{said}",)
    accepted = made.asked[0][1]["accept"]
    assert INDEX in accepted
    assert MANIFEST in accepted
    assert "vnd.docker.distribution.manifest.list.v2+json" in accepted


def test_every_manifest_that_has_a_layer_holds_a_copy(host: Starts, image: Scan) -> None:
    blobs: Blobs = {}
    shared, own = Layer(files={"x.env": _env(1)}), Layer(files={"y.env": _env(2)})
    both = [manifest(blobs, Image(layers=layers)) for layers in ([shared], [shared, own])]
    made = _served(host, Double(blobs=blobs, tags={"1.0": index(both)}))
    copies = {
        each.finding.provenance.path: each.finding.provenance.copies
        for each in image(f"{made.name}/team/app:1.0").matches
    }
    named = [f"image:{made.name}/team/app@{each['digest']}" for each in both]
    assert copies == {"x.env": tuple(named), "y.env": (named[1],)}


@pytest.mark.parametrize("breaks", [1, 3])
def test_a_connection_that_breaks_is_taken_up_where_it_broke(
    host: Starts, image: Scan, breaks: int
) -> None:
    noise = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(300))
    double = _double(Layer(files={"noise": noise, "x.env": _env(1)}))
    double.breaks = breaks
    made = _served(host, double)
    outcome = image(f"{made.name}/team/app:1.0")
    assert outcome.secrets == [github_token(1)]
    assert not outcome.incomplete
    assert sum("range" in headers for _, headers in made.asked) == breaks


def test_bytes_that_are_not_what_was_asked_for_are_incomplete(host: Starts, image: Scan) -> None:
    double = _double()
    for name, data in double.blobs.items():
        double.blobs[name] = data[:-1] + b" "  # as long as it was
    made = _served(host, double)
    assert len(image(f"{made.name}/team/app:1.0").incomplete) == 2
    wrong = f"sha256:{'0' * 64}"
    double.tags[wrong] = double.tags["1.0"]
    assert "does not have the digest" in image(f"{made.name}/team/app@{wrong}").incomplete[0].why


def test_what_refers_to_an_image_is_read(host: Starts, image: Scan) -> None:
    double = _double()
    listed = described(
        double.blobs, json.dumps({"note": github_token(2)}).encode(), "text/spdx+json"
    )
    config = described(double.blobs, b"{}", "application/vnd.oci.empty.v1+json")
    made = {"schemaVersion": 2, "config": config, "layers": [listed]}
    bill = described(double.blobs, json.dumps(made).encode(), MANIFEST)
    said = digest(double.tags["1.0"])
    for where, key in ((double.referrers, said), (double.tags, said.replace(":", "-"))):
        where[key] = index([bill])
        outcome = image(f"{_served(host, double).name}/team/app:1.0")
        assert set(outcome.secrets) == {github_token(1), github_token(2)}
        where.clear()
        double.tags.setdefault("1.0", double.blobs[said])


def _why(outcome: Outcome) -> str:
    assert not outcome.matches
    (gap,) = outcome.incomplete
    return gap.why


def test_errors_say_what_to_do(host: Starts, image: Scan) -> None:
    double = _double()
    made = _served(host, double)
    assert f"{made.name} has no team/app:1.1" in _why(image(f"{made.name}/team/app:1.1"))
    assert "1.0" in _why(image(f"{made.name}/team/app:1.1"))
    made.answer = lambda asked: reply(asked, 429, retry_after="7200")
    assert "takes no more requests until" in _why(image(f"{made.name}/team/app:1.0"))
    made.answer = lambda asked: reply(asked, 401, www_authenticate="Basic realm=x")
    said = _why(image(f"{made.name}/team/app:1.0"))
    assert f'[hosts."{made.name}"]' in said
    made.answer = lambda asked: reply(asked, 200, b"<html>")
    assert "malformed" in image(f"{made.name}/team/app:1.0").incomplete[0].why


def _basic(asked: BaseHTTPRequestHandler) -> str:
    kind, _, said = asked.headers.get("authorization", "").partition(" ")
    return base64.b64decode(said).decode() if kind == "Basic" else ""


def test_basic_logins_go_to_their_host_and_not_along_with_redirects(
    host: Starts, image: Scan, configured: Callable[..., None]
) -> None:
    double, storage = _double(), host()
    blobs = double.blobs
    storage.answer = lambda asked: reply(asked, 200, blobs[asked.path.rpartition("/")[2]])

    def guard(asked: BaseHTTPRequestHandler) -> bool:
        if _basic(asked) != "ann:s3cret-of-ours":
            reply(asked, 401, www_authenticate='Basic realm="registry, of \\"ours\\""')
            return False
        if "/blobs/" in asked.path:
            reply(asked, 307, location=f"{storage.url}{asked.path}")
            return False
        return True

    double.guard = guard
    made = _served(host, double)
    configured(made.name)
    # The storage has no entry, and is at an inner address.
    assert "is not asked" in image(f"{made.name}/team/app:1.0").incomplete[0].why
    configured(storage.name, 'provider = "storage"')
    outcome = image(f"{made.name}/team/app:1.0")
    assert outcome.secrets == [github_token(1)]
    assert storage.asked
    assert all("authorization" not in headers for _, headers in storage.asked)


def _tokens(asked: BaseHTTPRequestHandler, valid: set[str], life: Any) -> None:
    token = f"token-{len(valid)}"
    valid.add(token)
    reply(asked, 200, json.dumps({"access_token": token, "expires_in": life}).encode())


def _bearer(realm: str, valid: set[str]) -> Callable[[BaseHTTPRequestHandler], bool]:
    def guard(asked: BaseHTTPRequestHandler) -> bool:
        if asked.headers.get("authorization", "").removeprefix("Bearer ") in valid:
            return True
        challenge = f'Bearer realm="{realm}/token?x=1",service="r, 1",scope="repository:a:b"'
        reply(asked, 401, www_authenticate=challenge)
        return False

    return guard


@pytest.mark.parametrize("named", ["registry", "realm", "both"])
def test_a_login_goes_to_a_realm_elsewhere_only_if_registry_and_realm_are_named(
    host: Starts, image: Scan, configured: Callable[..., None], named: str
) -> None:
    double, realm = _double(), host()
    valid: set[str] = set()
    realm.answer = lambda asked: _tokens(asked, valid, 300)
    double.guard = _bearer(realm.url, valid)
    made = _served(host, double)
    if named != "realm":
        configured(made.name)
    if named != "registry":
        configured(realm.name)
    outcome = image(f"{made.name}/team/app:1.0")
    assert all(
        not headers.get("authorization", "").startswith("Basic") for _, headers in made.asked
    )
    if named == "registry":
        assert not realm.asked  # an inner address that nobody has named
        assert "is not asked" in _why(outcome)
        return
    assert outcome.secrets == [github_token(1)]
    path, headers = realm.asked[0]
    assert path == "/token?x=1&service=r%2C+1&scope=repository%3Ateam%2Fapp%3Apull"
    # What the login brings goes to the registry: one that nobody has named gets an anonymous one.
    assert headers.get("authorization", "").startswith("Basic ") is (named == "both")


def test_all_pages_of_referrers_are_read_and_a_token_goes_to_no_other_host(
    host: Starts, image: Scan, configured: Callable[..., None]
) -> None:
    double, other = _double(), host()
    other.answer = lambda asked: reply(asked, 200, index([]))
    made = _served(host, double)
    configured(made.name)
    configured(other.name)
    double.guard = lambda asked: _guarded(asked, other)
    outcome = image(f"{made.name}/team/app:1.0")
    assert outcome.secrets == [github_token(1)]
    assert [path for path, _ in other.asked] == ["/more"]
    assert "authorization" not in other.asked[0][1]


def _guarded(asked: BaseHTTPRequestHandler, other: Host) -> bool:
    if "authorization" not in {name.lower() for name in asked.headers}:
        reply(asked, 401, www_authenticate="Basic realm=x")
        return False
    if "/referrers/" in asked.path:
        reply(asked, 200, index([]), link=f'<{other.url}/more>; rel="next"')
        return False
    return True


@pytest.mark.parametrize("life", [None, 0, 1, "x", -5])
def test_tokens_are_fetched_anew_when_they_have_expired(
    host: Starts, image: Scan, monkeypatch: pytest.MonkeyPatch, life: Any
) -> None:
    double, valid = _double(), set[str]()
    made = host()
    guard = _bearer(made.url, valid)
    made.answer = lambda asked: (
        _tokens(asked, valid, life) if asked.path.startswith("/token") else double(asked)
    )
    double.guard = guard
    monkeypatch.setattr("stanch.scanner.sources.image.access._EARLY", 1e6)
    ticks = iter(range(0, 10_000, 100))
    monkeypatch.setattr("stanch.scanner.sources.image.access.time.monotonic", lambda: next(ticks))
    assert image(f"{made.name}/team/app:1.0").secrets == [github_token(1)]
    assert len(valid) > 1


@pytest.mark.parametrize("token", [None, 5, "a\r\nx: y", "é"])
def test_a_token_that_is_none_is_not_sent(host: Starts, image: Scan, token: Any) -> None:
    double, made = _double(), host()
    double.guard = _bearer(made.url, set())
    body = json.dumps({"token": token}).encode()
    made.answer = lambda asked: (
        reply(asked, 200, body) if asked.path.startswith("/token") else double(asked)
    )
    assert "(401)" in _why(image(f"{made.name}/team/app:1.0"))
    assert all("authorization" not in headers for _, headers in made.asked)


def test_a_known_layer_is_not_fetched_again(
    host: Starts, image: Scan, scanner: Scanner, tmp_path: Path
) -> None:
    del image  # for its configuration
    made = _served(host, _double())
    keeping = Scanner(key=scanner._key, rules=scanner._rules, history_folder=tmp_path, processes=1)
    name = f"{made.name}/team/app:1.0"
    outcomes = [sorted_out(iter(keeping.scan_image(name, parts=False))) for _ in range(2)]
    first, second = ([match.finding for match in each.matches] for each in outcomes)
    assert [gap.why.partition(",")[0] for gap in outcomes[1].gaps] == ["known from an earlier scan"]
    assert first == second
    layer = first[0].provenance.details["layer"]
    assert sum(path.endswith(f"/blobs/{layer}") for path, _ in made.asked) == 1
    assert github_token(1).encode() not in b"".join(f.read_bytes() for f in tmp_path.glob("layer*"))


def test_ecr_is_asked_with_the_login_that_aws_gives(
    host: Starts, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = host()
    token = base64.b64encode(b"AWS:twelve-hours").decode()
    given = json.dumps({"authorizationData": [{"authorizationToken": token}]}).encode()
    aws.answer = lambda asked: reply(asked, 200, given)
    for name, value in {
        "AWS_ENDPOINT_URL_ECR": aws.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": "/nonexistent",
    }.items():
        monkeypatch.setenv(name, value)
    reference = parsed("123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/app:1")
    access = Access(reference, Hosts(named={}))
    challenge = {"www-authenticate": 'Basic realm="https://x/",service="ecr.amazonaws.com"'}
    assert access._enter(Answer(status=401, headers=challenge, body=b"", url=reference.base))
    said = access.headers()["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(said) == b"AWS:twelve-hours"
    assert "eu-central-1" in aws.asked[0][1]["authorization"]
    aws.answer = lambda asked: reply(asked, 400, b'{"__type": "AccessDeniedException"}')
    with pytest.raises(SourceError, match="gives no login in eu-central-1"):
        login("eu-central-1")
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(UsageError, match="need boto3"):
        login("eu-central-1")
