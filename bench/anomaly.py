"""How many random tokens an anomaly scan notices in real trees, and how often it is wrong.

The natural content of the trees is taken to be free of secrets, so that every hit in it counts as
false, test vectors and published keys included.
"""

from __future__ import annotations

import os
import random
import string
import sysconfig
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from detect_secrets.plugins.high_entropy_strings import (
    Base64HighEntropyString,
    HexHighEntropyString,
)

from stanch.scanner.anomaly.surprise import Surprise
from stanch.scanner.anomaly.survey import Survey
from stanch.scanner.anomaly.suspect import suspects_of
from stanch.scanner.anomaly.token import tokens
from stanch.scanner.api import Confidence, FingerprintKey, Fragment, InWorktree, SecretValue

ROUNDS = 3
PLANTED = 32  # tokens in a round: few, so that they do not become what is normal
MOST = 20_000_000  # bytes of a tree
LARGEST = 1 << 20
TREES = (
    Path(sysconfig.get_paths()["purelib"]),
    Path("/usr/lib/node_modules"),
    Path("/usr/share/doc"),
)
_LETTERS = string.ascii_letters
SHAPES = {
    "base62 20": (_LETTERS + string.digits, 20),
    "base62 32": (_LETTERS + string.digits, 32),
    "base36 24": (string.ascii_lowercase + string.digits, 24),
    "base32 32": (string.ascii_uppercase + "234567", 32),
    "base64 40": (_LETTERS + string.digits + "+/", 40),
    "base64url 43": (_LETTERS + string.digits + "-_", 43),
    "hex 32": (string.digits + "abcdef", 32),
    "hex 40": (string.digits + "abcdef", 40),
}
LINES = ('{} = "{}"', '{}: "{}"', "'{}': '{}',", '{}="{}"', '// {} "{}"')
NAMES = ("api_key", "TOKEN", "secret", "client_secret", "auth", "key", "access", "x")

Tree = dict[str, bytes]
Planted = dict[tuple[str, bytes], str]
Scored = list[tuple[float, str]]
"""Scores, each with the planted token's shape, or nothing for natural content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One detector on one tree: false hits, and noticed tokens by shape."""

    false: int
    noticed: Counter[str]


def main() -> None:
    """Plant, learn, judge and compare, tree by tree."""
    for root in TREES:
        tree = load(root)
        if tree:
            measure(root, tree)
        else:
            print(f"{root}: nothing to read\n")


def load(root: Path) -> Tree:
    """The text files of a tree by path, up to :data:`MOST` bytes, in an order drawn once."""
    paths = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()]
    random.Random(1).shuffle(paths)  # noqa: S311  # a sample, the same every time
    tree: Tree = {}
    size = 0
    for path in paths:
        if path.stat().st_size <= LARGEST and os.access(path, os.R_OK):
            data = path.read_bytes()
            if b"\0" not in data[:8000]:
                tree[path.relative_to(root).as_posix()] = data
                size += len(data)
        if size > MOST:
            break
    return tree


def measure(root: Path, tree: Tree) -> None:
    """Print one tree's table."""
    lines = sum(data.count(b"\n") for data in tree.values())
    size = sum(map(len, tree.values()))
    allowed = lines // 100_000
    print(f"{root}: {len(tree):,} files, {lines:,} lines, {size / 1e6:.0f} MB; ", end="")
    print(f"{ROUNDS} rounds of {PLANTED} planted tokens; 1 in 100,000 lines is {allowed}\n")
    rows: dict[str, list[Row]] = {}
    planted: Counter[str] = Counter()
    speed = []
    for number in range(ROUNDS):
        mine, made = plant(tree, number)
        planted.update(made.values())
        began = time.process_time()
        surprises = list(surveyed(mine))
        speed.append(size / 1e6 / (time.process_time() - began))
        for name, row in judged(surprises, made, mine, allowed):
            rows.setdefault(name, []).append(row)
    total = planted.total()
    print(f"{'':34}  false  per 100k   noticed  " + "  ".join(f"{s:>9}" for s in SHAPES))
    for name, each in rows.items():
        noticed: Counter[str] = Counter()
        for row in each:
            noticed.update(row.noticed)
        false = sum(row.false for row in each) / ROUNDS
        shares = "  ".join(f"{noticed[s] / max(1, planted[s]):9.0%}" for s in SHAPES)
        rate = f"{false * 1e5 / lines:8.1f}   {noticed.total() / total:7.0%}"
        print(f"{name:34}  {false:5.0f}  {rate}  {shares}")
    print(f"\nlearning and judging: {min(speed):.0f}..{max(speed):.0f} MB a second of CPU\n")


def plant(tree: Tree, seed: int) -> tuple[Tree, Planted]:
    """The tree with a line added to some of its files."""
    chance = random.Random(seed)  # noqa: S311  # nothing is protected by it
    mine, made = dict(tree), {}
    for number, path in enumerate(chance.sample(sorted(tree), PLANTED)):
        shape = list(SHAPES)[number % len(SHAPES)]
        letters, length = SHAPES[shape]
        token = "".join(chance.choice(letters) for _ in range(length))
        lines = tree[path].split(b"\n")
        line = chance.choice(LINES).format(chance.choice(NAMES), token)
        lines.insert(chance.randrange(len(lines)), line.encode())
        mine[path] = b"\n".join(lines)
        made[path, token.encode()] = shape
    return mine, made


def surveyed(tree: Tree) -> Iterator[tuple[str, bytes, Surprise]]:
    """Path, value and evidence of everything that is odd in the tree."""
    survey = Survey(FingerprintKey(SecretValue(bytes(32))))
    fragments = [
        Fragment(data=data, provenance=InWorktree(path=path)) for path, data in tree.items()
    ]
    for fragment in list(filter(survey.learn, fragments)):
        suspects = suspects_of(fragment)
        for odd in survey.judge(suspects) if suspects is not None else ():
            value = odd.match.parts["value"].reveal()
            yield fragment.provenance.path, value, odd.surprise


def judged(
    surprises: list[tuple[str, bytes, Surprise]], made: Planted, mine: Tree, most: int
) -> Iterator[tuple[str, Row]]:
    """Every detector's row for one round."""
    ours = [(each, made.get((path, value), "")) for path, value, each in surprises]
    at_medium = [(0.0, s) for each, s in ours if each.confidence is Confidence.MEDIUM]
    yield "anomaly, confidence medium", summed(at_medium)
    yield "anomaly, confidence low and up", summed([(0.0, shape) for _, shape in ours])
    strong = [(e.score, s) for e, s in ours if e.confidence is Confidence.MEDIUM]
    yield "anomaly, cut at 1 in 100,000", summed(cut(strong, most))
    yield "entropy alone, cut at 1 in 100,000", summed(cut(by_entropy(mine, made), most))
    yield "detect-secrets, default limits", summed(by_plugin(mine, made))


def summed(scored: Scored) -> Row:
    """False hits and noticed shapes of what is left."""
    return Row(
        false=sum(not shape for _, shape in scored),
        noticed=Counter(shape for _, shape in scored if shape),
    )


def cut(scored: Scored, most: int) -> Scored:
    """What lies above the strictest limit that lets at most ``most`` false hits through."""
    natural = sorted((score for score, shape in scored if not shape), reverse=True)
    limit = natural[most] if len(natural) > most else float("-inf")
    return [each for each in scored if each[0] > limit]


def by_entropy(tree: Tree, made: Planted) -> Scored:
    """The same candidates by Shannon entropy alone."""
    entropy: Callable[[str], float] = Base64HighEntropyString().calculate_shannon_entropy
    return [
        (entropy(value.decode()), made.get((path, value), ""))
        for path, data in tree.items()
        for value in {value for _, value in tokens(data)}
    ]


def by_plugin(tree: Tree, made: Planted) -> Scored:
    """detect-secrets' two entropy plugins on every line that has a quote and a long run."""
    plugins = (Base64HighEntropyString(), HexHighEntropyString())
    hits: set[tuple[str, str]] = set()
    for path, data in tree.items():
        for line in data.decode(errors="replace").splitlines():
            for plugin in plugins:
                found = plugin.analyze_line(filename=path, line=line, line_number=1)
                hits.update((path, each.secret_value or "") for each in found)
    return [(0.0, made.get((path, value.encode()), "")) for path, value in hits]


if __name__ == "__main__":
    main()
