"""A layer that is not what its digest says is read, whatever is remembered of that digest."""

from __future__ import annotations

from pathlib import Path

from stanch.scanner.api import FingerprintKey, Scanner, SecretValue
from tests.scanner.conftest import github_token, sorted_out
from tests.scanner.sources.image_sample import Image, Layer, folder, oci_files, plain


def test_what_a_tampered_layer_holds_is_found_and_not_what_it_held(tmp_path: Path) -> None:
    key = FingerprintKey(SecretValue(bytes(32)))
    scanner = Scanner(key=key, history_folder=tmp_path / "kept", processes=1)

    def files(path: str, number: int) -> dict[str, bytes]:
        layer = Layer(files={path: f"TOKEN={github_token(number)}\n".encode()}, pack=plain)
        return oci_files(Image(layers=[layer]))

    was, other = files("a.env", 1), files("b.env", 2)
    (name,) = [n for n, data in was.items() if b"a.env" in data and n.startswith("blobs/")]
    (fresh,) = [data for n, data in other.items() if b"b.env" in data and n.startswith("blobs/")]
    place = folder(tmp_path / "image", was)
    first = sorted_out(iter(scanner.scan_image(str(place), parts=False)))
    assert [path for path, _ in first.places] == ["a.env"]
    assert first.incomplete == []
    folder(tmp_path / "image", {**was, name: fresh})
    second = sorted_out(iter(scanner.scan_image(str(place), parts=False)))
    assert [path for path, _ in second.places] == ["b.env"]
    assert second.incomplete != []
