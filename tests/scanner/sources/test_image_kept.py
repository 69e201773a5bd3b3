"""What is remembered of a layer is all that was known of its findings."""

from __future__ import annotations

import json
from pathlib import Path

from stanch.scanner.api import FingerprintKey, Match, Scanner, SecretValue
from stanch.scanner.model.finding import Finding
from stanch.scanner.scan import history_cache, layer_cache
from tests.scanner.conftest import github_token, sorted_out
from tests.scanner.sources.archive_sample import tarred
from tests.scanner.sources.image_sample import Image, Layer, archive, folder, oci_files


def test_both_caches_keep_every_field_of_a_finding() -> None:
    wanted = set(Finding.__fields__)
    assert set(history_cache.Place.__struct_fields__) == wanted
    assert set(layer_cache.Place.__struct_fields__) == wanted - {"provenance"} | {"path"}


def test_a_second_scan_of_a_layer_says_the_same_of_its_findings(tmp_path: Path) -> None:
    traffic = {"headers": [{"name": "Authorization", "value": f"token {github_token(1)}"}]}
    har = {"log": {"entries": [{"request": traffic}]}}
    layer = Layer(files={"x.har": json.dumps(har).encode()})
    place = folder(tmp_path / "image", oci_files(Image(layers=[layer])))
    key = FingerprintKey(SecretValue(bytes(32)))
    scanner = Scanner(key=key, history_folder=tmp_path / "kept", processes=1)
    first, second = (
        [
            each.finding
            for each in scanner.scan_image(str(place), parts=False)
            if isinstance(each, Match)
        ]
        for _ in range(2)
    )
    assert first[0].within
    assert first == second


def test_what_is_merely_called_like_a_layer_is_not_remembered_as_it(tmp_path: Path) -> None:
    files = oci_files(Image(layers=[Layer(files={"a.env": f"T={github_token(1)}".encode()})]))
    manifests = [json.loads(data) for name, data in files.items() if b'"layers": ' in data]
    layer = manifests[0]["layers"][0]["digest"]
    named = "blobs/" + layer.replace(":", "/")
    listed = [{"Config": "c.json", "RepoTags": [], "Layers": [layer]}]
    key = FingerprintKey(SecretValue(bytes(32)))
    scanner = Scanner(key=key, history_folder=tmp_path / "kept", processes=1)
    for number, fake in enumerate(
        (
            {"manifest.json": b"[]", layer: b"hello", named: b"hello"},
            {
                "manifest.json": json.dumps(listed).encode(),
                "c.json": b"{}",
                layer: tarred({"a": b"x"}),
            },
            {
                "manifest.json": json.dumps(listed).encode(),
                "c.json": b"{}",
                named: tarred({"a": b"x"}),
            },
        )
    ):
        place = archive(tmp_path / f"{number}.tar", fake)
        sorted_out(iter(scanner.scan_image(str(place), parts=False)))
    assert not list((tmp_path / "kept").glob("layer-*"))
    real = folder(tmp_path / "real", files)
    assert len(sorted_out(iter(scanner.scan_image(str(real), parts=False))).matches) == 1
