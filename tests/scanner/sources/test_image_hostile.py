"""Images that were made to harm: nothing is passed over, nothing grows, nothing is written."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stanch.scanner.api import Gap, Match, Scanner
from stanch.scanner.model.provenance import InImage
from stanch.scanner.sources.image.blob import Blob
from stanch.scanner.sources.image.layer import Contents, LayerReader
from stanch.scanner.sources.image.listing import Layer as Listed
from tests.scanner.conftest import Outcome, github_token, sorted_out
from tests.scanner.sources.archive_sample import tarred
from tests.scanner.sources.image_sample import (
    CONFIG,
    LAYER,
    MANIFEST,
    Blobs,
    Image,
    Layer,
    archive,
    described,
    digest,
    folder,
    frames,
    gzipped,
    index,
    legacy_files,
    manifest,
    oci_files,
    odd_tar,
    plain,
)

Scan = Callable[[Path], Outcome]


@pytest.fixture
def image(scanner: Scanner) -> Scan:
    return lambda path: sorted_out(iter(scanner.scan_image(str(path))))


def _env(number: int) -> bytes:
    return f"TOKEN={github_token(number)}\n".encode()


def _with(layer: Layer, root: Path) -> Path:
    """An image of a good layer and this one."""
    return folder(root, oci_files(Image(layers=[Layer(files={"good.env": _env(1)}), layer])))


def _cut(tar: bytes) -> bytes:
    return tar[: -(-len(tar.rstrip(b"\0")) // 512) * 512]


def _bad_checksum(tar: bytes) -> bytes:
    return tar[:3] + b"?" + tar[4:]


def _noise(tar: bytes) -> bytes:
    return b"\xff\0" * 512 + tar


def _hidden(tar: bytes) -> bytes:
    return tar + tarred({"hidden.env": _env(3)})


@pytest.mark.parametrize("pack", [plain, gzipped, frames])
@pytest.mark.parametrize("damage", [_cut, _bad_checksum, _hidden, _noise])
def test_a_layer_without_a_proper_end_is_incomplete(
    tmp_path: Path, image: Scan, pack: Callable[[bytes], bytes], damage: Callable[[bytes], bytes]
) -> None:
    layer = Layer(tar=damage(tarred({"x.env": _env(2), "y": b"y" * 3000})), pack=pack)
    outcome = image(_with(layer, tmp_path))
    (gap,) = outcome.incomplete
    assert digest(layer.pack(layer.unpacked)) in gap.path
    assert github_token(1) in outcome.secrets


@dataclass(slots=True, kw_only=True)
class Lying(Image):
    """An image whose configuration is another's."""

    said: bytes

    def configuration(self) -> bytes:
        return self.said


@pytest.mark.parametrize("place", ["blob", "layer", "plain layer", "config", "manifest", "size"])
def test_what_does_not_have_its_digest_is_said(tmp_path: Path, image: Scan, place: str) -> None:
    built = Image(layers=[Layer(files={"x.env": _env(1)}, pack=plain)])
    files = oci_files(built)
    blob = built.layers[0].pack(built.layers[0].unpacked)
    names = {
        "blob": f"blobs/{digest(blob).replace(':', '/')}",
        "config": f"blobs/{digest(built.configuration()).replace(':', '/')}",
        "manifest": next(n for n, d in files.items() if b"layers" in d and n.startswith("blobs")),
    }
    if place.endswith("layer"):  # the blob is right, the configuration says another DiffID
        other = Layer(files={"y": b""}, pack=plain if "plain" in place else gzipped)
        lie = Image(layers=built.layers, history=[]).configuration()
        files = oci_files(Lying(layers=[other], history=[], said=lie))
    elif place == "size":
        top = json.loads(files["index.json"])
        top["manifests"][0]["size"] += 1
        files["index.json"] = json.dumps(top).encode()
    elif place == "blob":
        files[names[place]] = blob.replace(_env(1), _env(2))  # as long as it was
    else:
        data = files[names[place]]
        files[names[place]] = data[:-1] + b" "
    assert image(folder(tmp_path, files)).incomplete


@pytest.mark.parametrize(
    "change",
    [
        lambda top: top["manifests"][0].update(digest="md5:" + "0" * 32),
        lambda top: top["manifests"][0].update(digest="sha256:../../../../etc/passwd"),
        lambda top: top["manifests"][0].update(digest="sha256:" + "0" * 64),
        lambda top: top.update(manifests="none"),
        lambda top: top.update(manifests=[{}]),
        lambda top: top.update(manifests=[]),
        lambda top: top.pop("manifests"),
        lambda top: top["manifests"][0].update(size=1 << 40),
    ],
)
def test_a_document_that_names_nothing_is_incomplete(
    tmp_path: Path, image: Scan, change: Callable[[dict[str, object]], None]
) -> None:
    files = oci_files(Image(layers=[Layer(files={"x": b"x"})]))
    top = json.loads(files["index.json"])
    change(top)
    files["index.json"] = json.dumps(top).encode()
    assert image(folder(tmp_path, files)).incomplete


@pytest.mark.parametrize("ids", [[], ["sha256:" + "0" * 64] * 2])
def test_a_configuration_that_speaks_of_other_layers_is_incomplete(
    tmp_path: Path, image: Scan, ids: list[str]
) -> None:
    said = json.dumps({"rootfs": {"type": "layers", "diff_ids": ids}}).encode()
    odd = Layer(tar=b"\x04\x22\x4d\x18\0 packed by something else", pack=plain)
    assert image(folder(tmp_path, oci_files(Lying(layers=[odd], said=said)))).incomplete


def test_an_index_that_is_an_image_as_well_is_read_as_both(tmp_path: Path, image: Scan) -> None:
    blobs: Blobs = {}
    named = manifest(blobs, Image(layers=[Layer(files={"a.env": _env(1)})]))
    both = json.loads(blobs[named["digest"]]) | {"manifests": []}
    top = described(blobs, json.dumps(both).encode(), MANIFEST)
    files = {f"blobs/{name.replace(':', '/')}": data for name, data in blobs.items()}
    outcome = image(folder(tmp_path, files | {"index.json": index([top])}))
    assert outcome.secrets == [github_token(1)]
    place = outcome.matches[0].finding.provenance
    assert isinstance(place, InImage)
    assert place.layer


@pytest.mark.parametrize("data", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b"null", b"[1]"])
@pytest.mark.parametrize("name", ["index.json", "manifest.json"])
def test_no_image_at_all_is_incomplete_and_no_error(
    tmp_path: Path, image: Scan, name: str, data: bytes
) -> None:
    assert image(archive(tmp_path / "x.tar", {name: data})).incomplete
    assert image(folder(tmp_path / "x", {name: data})).incomplete


@pytest.mark.parametrize("data", [b"", b"no archive", bytes(10240), gzip.compress(b"x", mtime=0)])
def test_a_file_that_is_no_archive_is_incomplete(tmp_path: Path, image: Scan, data: bytes) -> None:
    (tmp_path / "x.tar").write_bytes(data)
    assert image(tmp_path / "x.tar").incomplete


def test_an_archive_that_is_cut_or_says_a_thing_twice_is_incomplete(
    tmp_path: Path, image: Scan
) -> None:
    files = legacy_files(Image(layers=[Layer(files={"x.env": _env(1)})]))
    path = archive(tmp_path / "x.tar", files)
    whole = path.read_bytes()
    path.write_bytes(_cut(whole))
    outcome = image(path)
    assert outcome.incomplete
    assert github_token(1) in outcome.secrets
    config = next(iter(files))
    path.write_bytes(tarred({config: b"{}"})[:1024] + whole)
    assert "more than once" in image(path).incomplete[0].why


def test_indexes_that_name_each_other_end(tmp_path: Path, image: Scan) -> None:
    files = {"index.json": b""}
    below = b'{"manifests": []}'
    for _ in range(10):
        name = digest(below)
        files[f"blobs/{name.replace(':', '/')}"] = below
        below = json.dumps({"manifests": [{"digest": name, "size": len(below)}] * 50}).encode()
    files["index.json"] = below
    assert "indexes 4 deep" in image(folder(tmp_path, files)).incomplete[0].why


def test_links_devices_and_names_that_lead_out_touch_nothing(tmp_path: Path, image: Scan) -> None:
    def entry(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
        made = tarfile.TarInfo(name)
        made.type, made.linkname = kind, link
        return made

    data = _env(2)
    tar = odd_tar(
        entry("out", tarfile.SYMTYPE, "/etc/passwd"),
        entry("hard", tarfile.LNKTYPE, "../../etc/shadow"),
        entry("null", tarfile.CHRTYPE),
        entry("pipe", tarfile.FIFOTYPE),
        entry("../../escaped.env", tarfile.REGTYPE),
        entry("/absolute.env", tarfile.REGTYPE),
        data=data,
    )
    inside = tmp_path / "inside"
    before = sorted(Path("/").iterdir())
    outcome = image(_with(Layer(tar=tar), inside))
    assert [match.finding.path for match in outcome.matches] == [
        *("good.env", "../../escaped.env", "absolute.env"),
    ]
    assert not outcome.incomplete
    assert [each.name for each in tmp_path.iterdir()] == ["inside"]
    assert sorted(Path("/").iterdir()) == before


def test_a_layout_does_not_lead_out_by_links(tmp_path: Path, image: Scan) -> None:
    built = Image(layers=[Layer(files={"x.env": _env(1)})])
    inside = folder(tmp_path / "inside", oci_files(built))
    (tmp_path / "outside").mkdir()
    (inside / "blobs").rename(tmp_path / "outside" / "blobs")
    (inside / "blobs").symlink_to(tmp_path / "outside" / "blobs")
    outcome = image(inside)
    assert not outcome.matches
    assert "symbolic link" in outcome.incomplete[0].why


def test_ten_gigabytes_of_nothing_are_bounded(tmp_path: Path, image: Scan) -> None:
    header = tarfile.TarInfo("zeros")
    header.size = 10 << 30
    megabyte = gzip.compress(bytes(1 << 20), mtime=0)
    # What is behind the bound is never read, so it need not be there.
    layer = gzipped(header.tobuf()) + megabyte * 1200
    blobs: Blobs = {}
    made = {
        "config": described(blobs, b'{"os": "linux", "architecture": "amd64"}', CONFIG),
        "layers": [described(blobs, layer, LAYER)],
    }
    top = index([described(blobs, json.dumps(made).encode(), MANIFEST)])
    files = {f"blobs/{name.replace(':', '/')}": data for name, data in blobs.items()}
    (gap,) = image(folder(tmp_path, files | {"index.json": top})).incomplete
    assert "200 times its size" in gap.why


def test_a_packed_archive_that_never_ends_is_bounded(tmp_path: Path, image: Scan) -> None:
    header = tarfile.TarInfo("zeros")
    header.size = 10 << 30
    megabyte = gzip.compress(bytes(1 << 20), mtime=0)
    (tmp_path / "x.tar.gz").write_bytes(gzipped(header.tobuf()) + megabyte * 1200)
    assert "200 times its size" in image(tmp_path / "x.tar.gz").incomplete[0].why


def test_who_sends_more_than_was_announced_is_not_listened_to() -> None:
    blob = Blob(name="x", digest=digest(b""), size=5000)
    place = InImage(path="", image="i", manifest="m", platform="p", layer=blob.digest)
    told: list[Contents] = []
    begun = tarred({"a": b"a"})

    class Endless(io.RawIOBase):
        def __init__(self) -> None:
            self.left = begun

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what io passes
            data, self.left = self.left[: len(buffer)], self.left[len(buffer) :]
            buffer[:] = data.ljust(len(buffer), b"\0")
            return len(buffer)

    reader = LayerReader(Listed(blob=blob, place=place), told.append)
    found = list(reader.read(io.BufferedReader(Endless())))
    assert [each.why for each in found if isinstance(each, Gap)] == [
        "it has more bytes than the manifest says; the rest is not read"
    ]
    assert not told[0].whole


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a\0b", "a" * 5000, "", "."])
def test_a_saved_image_that_names_anything_reads_nothing_else(
    tmp_path: Path, image: Scan, name: str
) -> None:
    said = json.dumps([{"Config": name, "Layers": [name]}]).encode()
    for path in (
        folder(tmp_path / "folder", {"manifest.json": said}),
        archive(tmp_path / "x.tar", {"manifest.json": said}),
    ):
        outcome = image(path)
        assert len(outcome.incomplete) == 2  # the configuration and the layer
        assert not outcome.matches


_WHOLE = oci_files(
    Image(
        layers=[Layer(files={"a.env": b"A=b", "b": b"b" * 2000}), Layer(files={"c": b"c"})],
        config={"Env": ["A=b"], "Labels": {"a": "b"}},
        annotations={"a": "b"},
    )
) | legacy_files(Image(layers=[Layer(files={"d": b"d"}, said="|1 A=b x")]))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    name=st.sampled_from(sorted(_WHOLE)),
    edits=st.lists(st.tuples(st.integers(0, 5000), st.binary(max_size=8)), min_size=1, max_size=4),
    tidy=st.booleans(),
)
def test_no_damage_makes_a_scan_raise(
    scanner: Scanner,
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    edits: list[tuple[int, bytes]],
    tidy: bool,  # noqa: FBT001  # drawn
) -> None:
    data = bytearray(_WHOLE[name])
    for at, new in edits:
        at %= len(data)  # noqa: PLW2901  # into the data
        data[at : at + len(new)] = new
    files = {**_WHOLE, name: bytes(data)}
    if tidy and name.startswith("blobs"):  # what is damaged has its digest all the same
        right = digest(bytes(data)).encode()
        was = name.removeprefix("blobs/").replace("/", ":").encode()
        files = {each: held.replace(was, right) for each, held in files.items()}
        files[f"blobs/{right.decode().replace(':', '/')}"] = bytes(data)
    path = archive(tmp_path_factory.getbasetemp() / "fuzzed.tar", files)
    for result in scanner.scan_image(str(path)):
        assert isinstance(result, Match | Gap)


_MEASURED = """
import sys
from stanch.scanner.api import FingerprintKey, Scanner, SecretValue
scanner = Scanner(key=FingerprintKey(SecretValue(bytes(32))), processes=1)
found = list(scanner.scan_image(sys.argv[1], parts=False))
# Not getrusage: its peak is inherited from the process that started this one.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM:"))
print(len(found), int(peak.split()[1]) >> 10)
"""


def test_a_hundred_thousand_files_cost_little_memory(tmp_path: Path) -> None:
    entry = bytearray(tarred({"0000000000": b"x"})[:1024])
    entry[148:156] = b" " * 8
    blank = sum(entry[:512]) - 10 * ord("0")
    parts = []
    for number in range(100_000):
        entry[:10] = name = b"%010d" % number
        entry[148:155] = b"%06o\0" % (blank + sum(name))
        parts.append(bytes(entry))
    layer = Layer(tar=b"".join((*parts, bytes(1024))))
    folder(tmp_path, oci_files(Image(layers=[layer])))
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, str(tmp_path)], capture_output=True, text=True, check=True
    )
    found, size = map(int, done.stdout.split())
    assert found == 0
    assert size < 300


def test_a_configuration_of_too_many_values_is_scanned_as_it_is(
    tmp_path: Path, image: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stanch.scanner.sources.image.text._MOST", 100)
    said = json.dumps({"rootfs": {"diff_ids": []}, "x": [{}] * 200, "y": _env(1).decode()})
    outcome = image(folder(tmp_path, oci_files(Lying(layers=[], said=said.encode()))))
    assert outcome.secrets == [github_token(1)]
    assert outcome.places == [("config", 1)]
