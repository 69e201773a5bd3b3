"""Images on this machine: every place in them, what made it, and what is done to it later."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.api import Finding, Scanner
from stanch.scanner.model.provenance import InImage
from tests.scanner.conftest import Outcome, github_token, sorted_out
from tests.scanner.sources.archive_sample import zipped
from tests.scanner.sources.image_sample import (
    CONFIG,
    MANIFEST,
    Blobs,
    Image,
    Layer,
    archive,
    described,
    digest,
    folder,
    frames,
    index,
    legacy_files,
    manifest,
    members,
    oci_files,
    plain,
    whiteout,
)

Token = Callable[[int], str]
Scan = Callable[[Path], Outcome]


@pytest.fixture
def image(scanner: Scanner) -> Scan:
    return lambda path: sorted_out(iter(scanner.scan_image(str(path))))


def _places(outcome: Outcome) -> dict[str, InImage]:
    """By the value found, where it was."""
    found: dict[str, InImage] = {}
    for match in outcome.matches:
        place = match.finding.provenance
        assert isinstance(place, InImage)
        (value,) = match.parts.values()
        found.setdefault(value.reveal().decode(), place)
    return found


def _env(number: int) -> bytes:
    return f"TOKEN={github_token(number)}\n".encode()


def _everywhere() -> Image:
    """A value in each kind of place; the number says which."""
    return Image(
        layers=[
            Layer(files={"app/a.env": _env(1), "app/b.env": _env(2), "app/c.env": _env(3)}),
            Layer(
                files={whiteout("app/b.env"): b"", "app/c.env": _env(4)},
                said="RUN /bin/sh -c rm app/b.env # buildkit",
            ),
            Layer(files={"usr/lib/x/conf.py": _env(5)}, said="/bin/sh -c make install"),
            Layer(files={"srv/d.zip": zipped({"in/e.txt": _env(6)})}, pack=plain),
            Layer(files={"etc/z.env": _env(7)}, pack=frames, said="ADD z.env /etc/"),
            Layer(files={"etc/f": b"x" * 3000, "etc/g.env": _env(8)}, pack=members),
        ],
        config={
            "Env": ["PATH=/bin", _env(9).decode().strip()],
            "Labels": {"org.example.token": github_token(10)},
        },
        annotations={"org.example.note": github_token(12)},
    )


def _with_args(built: Image) -> Image:
    steps: list[dict[str, Any]] = [{"created_by": each.said} for each in built.layers]
    run = f"RUN |1 NPM_TOKEN={github_token(11)} /bin/sh -c npm install # buildkit"
    steps.insert(2, {"created_by": run, "empty_layer": True})
    steps.append({"created_by": f"ENV TOKEN={github_token(9)}", "empty_layer": True})
    built.history = steps
    return built


def _both(built: Image) -> dict[str, bytes]:
    """What `docker save` writes since its engine 25: a layout with a list of its own."""
    oci = oci_files(built)
    config = next(name for name, data in oci.items() if data == built.configuration())
    digests = [digest(each.pack(each.unpacked)) for each in built.layers]
    layers = [f"blobs/{each.replace(':', '/')}" for each in digests]
    saved = [{"Config": config, "RepoTags": None, "Layers": layers}]
    return oci | {"manifest.json": json.dumps(saved).encode()}


_FORMS: dict[str, Callable[[Path, Image], Path]] = {
    "layout": lambda path, built: folder(path, oci_files(built)),
    "layout.tar": lambda path, built: archive(path, oci_files(built)),
    "layout.tar.gz": lambda path, built: archive(path, oci_files(built), gzip.compress),
    "legacy": lambda path, built: archive(path, legacy_files(built)),
    "both": lambda path, built: archive(path, _both(built)),
}


@pytest.mark.parametrize("form", _FORMS)
def test_every_place_is_found_with_its_layer_and_instruction(
    tmp_path: Path, image: Scan, form: str
) -> None:
    built = _with_args(_everywhere())
    outcome = image(_FORMS[form](tmp_path / "image", built))
    assert not outcome.incomplete
    wanted = set(range(1, 13)) - ({12} if form == "legacy" else set())
    found = _places(outcome)
    assert {github_token(n) for n in wanted} == set(found)
    assert len(outcome.matches) == len(wanted) + 1  # what ENV says is in the history too
    places = {n: found[github_token(n)] for n in wanted}
    assert {(each.platform, each.base) for each in places.values()} >= {("linux/amd64", False)}
    bottom = built.layers[0]
    data = bottom.unpacked if form == "legacy" else bottom.pack(bottom.unpacked)
    assert {places[n].layer for n in (1, 2, 3)} == {digest(data)}
    assert [(places[n].path, places[n].later) for n in (1, 2, 3, 4)] == [
        *(("app/a.env", ""), ("app/b.env", "deleted"), ("app/c.env", "overwritten")),
        ("app/c.env", ""),
    ]
    assert [places[n].path for n in (6, 9, 10, 11)] == [
        *("srv/d.zip!in/e.txt", "config/env", "config/labels", "config/history"),
    ]
    assert [places[n].instruction for n in (1, 5, 7, 9, 11)] == [
        *("COPY . /app", "RUN make install", "ADD z.env /etc/", "ENV TOKEN=•••"),
        "RUN |1 NPM_TOKEN=••• /bin/sh -c npm install",
    ]


def test_an_instruction_never_quotes_a_value(tmp_path: Path, image: Scan) -> None:
    run = f"RUN |2 NPM_TOKEN={github_token(1)} PW=hunter2 /bin/sh -c curl -u a:{github_token(2)}"
    built = Image(layers=[Layer(files={"x.env": _env(3)}, said=run)])
    outcome = image(folder(tmp_path, oci_files(built)))
    said = _places(outcome)[github_token(3)].instruction
    assert said is not None
    assert said.startswith("RUN |2 NPM_TOKEN=••• PW=••• /bin/sh -c curl -u a:")
    assert github_token(2) not in said
    for match in outcome.matches:
        assert "hunter2" not in repr(match.finding)


def test_every_platform_and_attestation_is_read_and_an_equal_layer_once(
    tmp_path: Path, image: Scan
) -> None:
    shared = Layer(files={"all.env": _env(1)})
    amd = Image(layers=[shared, Layer(files={"amd.env": _env(2)})])
    arm = Image(layers=[shared, Layer(files={"arm.env": _env(3)})], platform="linux/arm64")
    blobs: Blobs = {}
    platforms = [manifest(blobs, amd), manifest(blobs, arm)]
    statement = {"predicate": {"buildDefinition": {"build-arg:NPM": github_token(4)}}}
    layer = described(blobs, json.dumps(statement).encode(), "application/vnd.in-toto+json")
    attested = {
        "schemaVersion": 2,
        "config": described(blobs, b"{}", CONFIG),
        "layers": [layer],
    }
    notes = {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": platforms[1]["digest"],
    }
    data = json.dumps(attested).encode()
    unknown = {"os": "unknown", "architecture": "unknown"}
    platforms.append(described(blobs, data, MANIFEST, annotations=notes, platform=unknown))
    inner = described(blobs, index(platforms), "application/vnd.oci.image.index.v1+json")
    files = {"index.json": index([inner])} | {
        f"blobs/{name.replace(':', '/')}": data for name, data in blobs.items()
    }
    outcome = image(folder(tmp_path, files))
    assert not outcome.incomplete
    assert [match.finding.path for match in outcome.matches] == [
        *("all.env", "amd.env", "arm.env", "blob"),
    ]
    places = _places(outcome)
    assert places[github_token(1)].platform == "linux/amd64, linux/arm64"
    assert places[github_token(4)].platform == "attestation of linux/arm64"


def test_what_a_later_layer_hides_is_told_from_what_it_leaves(tmp_path: Path, image: Scan) -> None:
    files = {f"d/{n}/x.env": _env(n) for n in range(1, 7)}
    later = {
        "d/1/.wh..wh..opq": b"",
        "d/.wh.2": b"",
        "d/3": b"a file where a folder was",
        "d/4/x.env": b"nothing",
        "d/5/y.env": b"",
        "d/6/x.env/": b"",
    }
    outcome = image(
        folder(tmp_path, oci_files(Image(layers=[Layer(files=files), Layer(files=later)])))
    )
    fates = {each.path: each.later for each in _places(outcome).values()}
    assert fates == {
        "d/1/x.env": "deleted",
        "d/2/x.env": "deleted",
        "d/3/x.env": "deleted",
        "d/4/x.env": "overwritten",
        "d/5/x.env": "",
        "d/6/x.env": "overwritten",
    }


def test_the_base_image_is_told_apart(tmp_path: Path, image: Scan) -> None:
    built = Image(
        layers=[
            Layer(files={"base.env": _env(1)}, said="/bin/sh -c #(nop) ADD file:abc in / "),
            Layer(files={"own.env": _env(2)}),
        ]
    )
    built.history = [
        {"created_by": built.layers[0].said},
        {"created_by": '/bin/sh -c #(nop)  CMD ["sh"]', "empty_layer": True},
        {"created_by": built.layers[1].said},
        {"created_by": 'CMD ["app"]', "empty_layer": True},
    ]
    places = _places(image(folder(tmp_path, oci_files(built))))
    assert [places[github_token(n)].base for n in (1, 2)] == [True, False]
    assert "from the base image" in places[github_token(1)].words


@pytest.mark.parametrize(
    "steps", [[None], [], [{}], [{"created_by": "a"}] * 9, [{"empty_layer": True}]]
)
def test_a_history_that_does_not_fit_leaves_the_instruction_unknown(
    tmp_path: Path, image: Scan, steps: Any
) -> None:
    built = Image(layers=[Layer(files={"x.env": _env(1)}), Layer(files={"y": b"y"})], history=steps)
    outcome = image(folder(tmp_path, oci_files(built)))
    assert _places(outcome)[github_token(1)].instruction is None
    assert not outcome.incomplete


def _finding(outcome: Outcome) -> Finding:
    (match,) = outcome.matches
    return match.finding


def test_what_lies_beside_an_image_is_read_too(tmp_path: Path, image: Scan) -> None:
    files = oci_files(Image(layers=[Layer(files={"x": b"x"})]))
    left = gzip.compress(Layer(files={"left.env": _env(1)}).unpacked)
    files |= {f"blobs/{digest(left).replace(':', '/')}": left, "notes.txt": _env(2)}
    for path in (folder(tmp_path / "f", files), archive(tmp_path / "i.tar", files)):
        places = _places(image(path))
        name = f"blobs/{digest(left).replace(':', '/')}"
        assert places[github_token(1)].path == f"{name}!left.env"
        assert places[github_token(2)].path == "notes.txt"


def test_the_same_name_twice_in_a_layer_is_read_twice(tmp_path: Path, image: Scan) -> None:
    one, two = (Layer(files={"x.env": _env(n)}).unpacked[:1024] for n in (1, 2))
    layer = Layer(tar=one + two + bytes(1024))
    assert len(image(folder(tmp_path, oci_files(Image(layers=[layer])))).matches) == 2
