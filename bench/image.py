"""What a scan of a container image finds in fifteen kinds of places, and what a large one costs."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from cost import measure  # type: ignore[import-not-found]  # noqa: E402  # scripts of one folder
from own import installed  # type: ignore[import-not-found]  # noqa: E402  # as above
from scan import binary, install  # type: ignore[import-not-found]  # noqa: E402  # as above

from tests.scanner.conftest import github_token  # noqa: E402  # see above
from tests.scanner.sources import image_sample as sample  # noqa: E402  # as above
from tests.scanner.sources.archive_sample import zipped  # noqa: E402  # as above

PLACES = (
    "a file",
    "deleted by a later layer",
    "overwritten: the lower value",
    "overwritten: the upper value",
    "written by RUN below /usr/lib",
    "an archive within a layer",
    "a layer that is not packed",
    "a layer packed by zstd",
    "behind a layer's first gzip member",
    "environment",
    "label",
    "build argument",
    "annotation of a manifest",
    "attestation",
    "another platform",
)
TREES = ("/usr/lib", "/usr/share")
FILES, SIZE, LAYER = 30_000, 1 << 30, 200 << 20
REPEATS = 2


def main(paths: Sequence[str] = ()) -> None:
    """The places, then an image made of these trees (or of this machine's)."""
    with tempfile.TemporaryDirectory(prefix="stanch-bench-") as folder:
        work = Path(folder)
        places(work)
        large(work, [Path(path) for path in paths or TREES])


def commands(archive: Path, out: Path) -> dict[str, list[str]]:
    """Everybody's command line for one archive."""
    own = [str(installed().with_name("stanch")), "scan", f"image:{archive}", "--no-cache"]
    found = {"stanch": [*own, "--format", "jsonl", "--output", str(out / "stanch.json")]}
    program = binary("kingfisher") or (binary("kingfisher") if install("kingfisher") else None)
    if program is not None:
        # Without the last option it stops at any archive of more than 256 MB.
        options = ["scan", "docker", "--archive", str(archive), "-n", "-c", "low", "--no-limits"]
        report = str(out / "kingfisher.json")
        found["kingfisher"] = [str(program), *options, "--format", "json", "--output", report]
    return found


def places(work: Path) -> None:
    """Which of the fifteen values each scanner names, and with what."""
    whole = _reports(sample.archive(work / "places.tar", everywhere()), work)
    ours = _places(whole["stanch"])
    # One layer of zstd ends its scan of the whole image: what it would find without is said too.
    theirs = whole.get("kingfisher", "")
    less = _reports(sample.archive(work / "less.tar", everywhere(zstd=False)), work)
    print(f"{'place':36} {'stanch: layer, instruction':60} kingfisher   without zstd")
    for number, place in enumerate(PLACES, 1):
        named = ours.get(github_token(number)[-4:])
        said = "-" if named is None else f"{_short(named['layer'])}, {named['instruction']}"
        peer = [
            "found" if github_token(number) in each else "-"
            for each in (theirs, less.get("kingfisher", ""))
        ]
        print(f"{place:36} {said:60} {peer[0]:12} {peer[1]}")
    numbers = range(1, len(PLACES) + 1)
    found = sum(github_token(n)[-4:] in ours for n in numbers)
    peers = [
        sum(github_token(n) in each for n in numbers)
        for each in (theirs, less.get("kingfisher", ""))
    ]
    print(f"\nof {len(PLACES)}: stanch {found}, kingfisher {peers[0]} (without zstd {peers[1]})\n")


def _reports(archive: Path, work: Path) -> dict[str, str]:
    reports = {}
    for name, argv in commands(archive, work).items():
        report = work / f"{name}.json"
        report.unlink(missing_ok=True)
        subprocess.run(argv, check=False, capture_output=True, cwd=work)
        reports[name] = report.read_text() if report.exists() else ""
    return reports


def _short(layer: str | None) -> str:
    return "no layer" if layer is None else layer.partition(":")[2][:12]


def _places(report: str) -> dict[str, dict[str, str | None]]:
    """Where each value is, by its last four characters, which a preview shows; layers go first."""
    found: dict[str, dict[str, str | None]] = {}
    for row in map(json.loads, report.splitlines()):
        end, details = row["preview"][-4:], row["details"]
        if found.get(end, {}).get("layer") is None:
            found[end] = details
    return found


def env(number: int) -> bytes:
    """A settings file with the value of that number."""
    return f"TOKEN={github_token(number)}\n".encode()


def everywhere(*, zstd: bool = True) -> dict[str, bytes]:
    """An OCI layout with one value in each place."""
    layers = _every_layer(zstd=zstd)
    history: list[dict[str, Any]] = [{"created_by": each.said} for each in layers]
    history += [
        {"created_by": f"ENV TOKEN={github_token(10)}", "empty_layer": True},
        {"created_by": f"LABEL org.example.key={github_token(11)}", "empty_layer": True},
        {
            "created_by": f"RUN |1 NPM_TOKEN={github_token(12)} /bin/sh -c npm ci",
            "empty_layer": True,
        },
    ]
    image = sample.Image(
        layers=layers,
        history=history,
        config={
            "Env": [env(10).decode().strip()],
            "Labels": {"org.example.key": github_token(11)},
        },
        annotations={"org.example.note": github_token(13)},
    )
    other = sample.Image(layers=[sample.Layer(files={"arm.env": env(15)})], platform="linux/arm64")
    blobs: sample.Blobs = {}
    listed = [sample.manifest(blobs, image), sample.manifest(blobs, other)]
    listed.append(attestation(blobs, listed[0]["digest"]))
    files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": sample.index(listed)}
    return files | {f"blobs/{name.replace(':', '/')}": data for name, data in blobs.items()}


def _every_layer(*, zstd: bool) -> list[sample.Layer]:
    """The layers of the first image."""
    steps = [
        ({"app/a.env": env(1), "app/b.env": env(2), "app/c.env": env(3)}, "COPY . /app"),
        ({sample.whiteout("app/b.env"): b"", "app/c.env": env(4)}, "RUN ./clean"),
        ({"usr/lib/python3/site.py": env(5)}, "RUN make install"),
        ({"srv/d.zip": zipped({"in/e.txt": env(6)})}, "ADD d.zip /srv"),
    ]
    layers = [sample.Layer(files=files, said=said) for files, said in steps]
    packed = sample.Layer(files={"etc/g.env": env(8)}, pack=sample.frames, said="COPY g.env /etc")
    layers += [
        sample.Layer(files={"etc/f.env": env(7)}, pack=sample.plain, said="COPY f.env /etc"),
        *([packed] if zstd else []),
        sample.Layer(
            files={"etc/h": b"h" * 4096, "etc/i.env": env(9)},
            pack=sample.members,
            said="COPY h i.env /etc",
        ),
    ]
    return layers


def attestation(blobs: sample.Blobs, about: str) -> dict[str, object]:
    """What BuildKit says of a build, arguments included."""
    said = {"predicate": {"invocation": {"parameters": {"build-arg:KEY": github_token(14)}}}}
    layer = sample.described(blobs, json.dumps(said).encode(), "application/vnd.in-toto+json")
    config = sample.described(blobs, b"{}", sample.CONFIG)
    made = {"schemaVersion": 2, "config": config, "layers": [layer]}
    notes = {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": about,
    }
    unknown = {"os": "unknown", "architecture": "unknown"}
    data = json.dumps(made).encode()
    return sample.described(blobs, data, sample.MANIFEST, annotations=notes, platform=unknown)


def large(work: Path, trees: Sequence[Path]) -> None:
    """Processor seconds and memory of all processes, for an image made of real files."""
    layers: list[sample.Layer] = []
    files = size = 0
    for data, count in _layers(trees):
        layers.append(sample.Layer(tar=data, said=f"COPY {len(layers)} /"))
        files, size = files + count, size + len(data)
    archive = sample.archive(work / "large.tar", sample.oci_files(sample.Image(layers=layers)))
    packed = archive.stat().st_size
    print(
        f"{len(layers)} layers, {files:,} files, {size / 1e6:.0f} MB ({packed / 1e6:.0f} packed);"
    )
    print(f"best of {REPEATS} runs, {len(os.sched_getaffinity(0))} cores\n")
    print("scanner                 cpu s    wall s   peak MB  exit")
    best = {}
    for name, argv in commands(archive, work).items():
        runs = [measure(argv, {}) for _ in range(REPEATS)]
        best[name] = cost = min(runs, key=lambda each: each.cpu)
        print(f"{name:20} {cost.cpu:8.2f}  {cost.wall:8.2f}  {cost.memory:8.0f}  {cost.code:4}")
    if "kingfisher" in best and best["kingfisher"].worked:
        ratio = best["kingfisher"].cpu / best["stanch"].cpu
        print(f"\nkingfisher / stanch, processor seconds: {ratio:.1f}")


def _layers(trees: Sequence[Path]) -> Iterator[tuple[bytes, int]]:
    """Archives of the trees' files, until there are enough of them; some hold a token."""
    files = size = count = 0
    out = io.BytesIO()
    tar = tarfile.open(fileobj=out, mode="w")  # noqa: SIM115  # several, one after the other
    for path in _files(trees):
        tar.add(path, arcname=str(path).lstrip("/"), recursive=False)
        files, count = files + 1, count + 1
        if files % 1500 == 0:
            entry = tarfile.TarInfo(f"planted/{files}.env")
            data = env(100 + files)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
        if out.tell() > LAYER or files >= FILES or size + out.tell() > SIZE:
            tar.close()
            size += out.tell()
            yield out.getvalue(), count
            if files >= FILES or size > SIZE:
                return
            out, count = io.BytesIO(), 0
            tar = tarfile.open(fileobj=out, mode="w")  # noqa: SIM115  # as above
    tar.close()
    yield out.getvalue(), count


def _files(trees: Sequence[Path]) -> Iterator[Path]:
    for tree in trees:
        for folder, folders, names in os.walk(tree):
            folders.sort()
            for name in sorted(names):
                path = Path(folder, name)
                if path.is_file() and not path.is_symlink():
                    yield path


if __name__ == "__main__":
    main(sys.argv[1:])
