"""Scans an image: what stands beside its layers, each layer once, and what later ones hide."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from stanch.scanner.model.finding import Finding, Match
from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.provenance import InImage
from stanch.scanner.model.record import Record, fresh, replace
from stanch.scanner.scan.batch import Tally
from stanch.scanner.scan.engine import ScanEngine
from stanch.scanner.scan.layer_cache import LayerCache
from stanch.scanner.scan.pool import run
from stanch.scanner.scan.quoted import Quoted
from stanch.scanner.sources.image.blob import Blob, verify
from stanch.scanner.sources.image.layer import Contents, mark
from stanch.scanner.sources.image.listing import Listing
from stanch.scanner.sources.image.opening import Image
from stanch.scanner.sources.image.source import ImageSource
from stanch.scanner.sources.source import Milestone

__all__ = ["ImageScan", "LayerCache"]

Found = Match | Gap | Tally | Milestone

_FEW = 3  # a single layer may be worth a process
_KNOWN = "known from an earlier scan, and not read again (--no-cache does)"


class ImageScan(Record, frozen=False):
    """One image. ``quoted`` masks instructions, which findings of a layer quote."""

    reference: str
    store: Image
    quoted: Quoted
    cache: LayerCache | None
    _found: list[Match] = fresh(list)
    _contents: dict[str, Contents] = fresh(dict)

    def results(self, engine: ScanEngine, *, parts: bool, processes: int) -> Iterator[Found]:
        """Findings in the order of the layers; they come when all layers have been read."""
        store = self.store
        listing = store.listing(f"image:{self.reference}", self.quoted.masked)
        known = self._remembered(listing)
        source = ImageSource(listing, store, known)
        heard: list[Contents] = []
        found: list[Match] = []
        gaps: list[Gap] = []
        for result in run(
            source, engine, parts=parts, processes=processes, few=_FEW, heard=heard.append
        ):
            if isinstance(result, Match):
                found.append(result)
                continue
            if isinstance(result, Gap) and result.incomplete:
                gaps.append(result)
            elif isinstance(result, Tally):  # the end of one layer
                self._read(heard, found, gaps)
                heard.clear()
                found.clear()
                gaps.clear()
            yield result
        order = {layer.place.layer: n for n, layer in enumerate(listing.layers())}
        for match in sorted(self._found, key=lambda each: order.get(_layer(each.finding), -1)):
            yield self._marked(match, listing)

    def _read(self, heard: list[Contents], found: list[Match], gaps: list[Gap]) -> None:
        """Take note of a layer, and keep it if reading it again would not bring more."""
        self._found += found
        for contents in heard:
            self._contents[contents.layer] = contents
            if self.cache and contents.whole and all(each.lasting for each in gaps):
                self.cache.save(contents, [each.finding for each in found], gaps)

    def _remembered(self, listing: Listing) -> set[str]:
        """The layers that earlier scans have read; takes over what they found."""
        known = set()
        for layer in listing.layers() if self.cache else ():
            name = layer.blob.identity
            read = self.cache.load(name) if self.cache and name else None
            if name is None or read is None or not self._same(layer.blob):
                continue
            known.add(name)
            listing.gaps.append(Gap(path=f"layer {name}", why=_KNOWN, incomplete=False))
            self._contents[name] = read.contents
            listing.gaps.extend(read.gaps)
            self._found += [
                Match(finding=each.finding(layer.place), parts={}) for each in read.places
            ]
        return known

    def _same(self, blob: Blob) -> bool:
        """Whether a layer is what its digest says; of a file that only claims it, it is read."""
        if self.store.addressed:
            return True
        try:
            with self.store.open(blob) as file:
                verify(file, blob)
        except OSError:
            return False
        return True

    def _marked(self, match: Match, listing: Listing) -> Match:
        """The match, with what later layers do to its file in every image that has it."""
        place = match.finding.provenance
        if not isinstance(place, InImage):
            return match
        copies = listing.copies(place)
        if place.layer is None:
            said = listing.instruction(place, match.finding.span.line)
            return _at(match, replace(place, instruction=said, copies=copies))
        traces = Traces.of(place.path)
        fates = {
            self._fate(traces, chain[chain.index(place.layer) + 1 :])
            for chain in listing.chains()
            if place.layer in chain
        }
        later = next(iter(fates)) if len(fates) == 1 else ""
        return _at(match, replace(place, later=later, copies=copies))

    def _fate(self, traces: Traces, later: list[str]) -> str:
        fate = ""
        for layer in later:
            contents = self._contents.get(layer)
            if contents is not None:
                fate = _done(traces, contents) or fate
        return fate


def _at(match: Match, place: InImage) -> Match:
    return replace(match, finding=replace(match.finding, provenance=place))


def _layer(finding: Finding) -> str | None:
    place = finding.provenance
    return place.layer if isinstance(place, InImage) else None


class Traces(Record):
    """By which marks a layer would tell that it hides a file: its own, and its folders'.

    Of what is within an archive it is the archive's file.
    """

    own: frozenset[int]
    folders: frozenset[int]

    @classmethod
    def of(cls, path: str) -> Traces:
        """The marks of a path; a sign of an archive may as well belong to a name."""
        names = [path, *(path[:at] for at, sign in enumerate(path) if sign == "!")]
        folders = {name[:at] for name in names for at, sign in enumerate(name) if sign == "/"}
        return cls(own=frozenset(map(mark, names)), folders=frozenset(map(mark, folders)))


_ROOT = mark("")


def _done(traces: Traces, contents: Contents) -> str:
    """What one layer does to a file below it."""
    if _any(contents.paths, traces.own):
        return "overwritten"
    above = traces.folders
    hidden = (
        _any(contents.removed, traces.own | above)
        or _any(contents.emptied, above | {_ROOT})
        or _any(contents.paths, above)
    )
    return "deleted" if hidden else ""


def _any(marks: bytes, wanted: frozenset[int]) -> bool:
    if not marks:
        return False
    view = memoryview(marks).cast("Q")
    for each in wanted:
        at = bisect_left(view, each)
        if at < len(view) and view[at] == each:
            return True
    return False
