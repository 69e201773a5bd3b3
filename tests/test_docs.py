"""What the documents and the messages promise exists: commands, options, links, headings."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest

from stanch.responder.cli.main import stanch

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "bench/*.md", "runbooks/*.md")
    for path in ROOT.glob(pattern)
)
SOURCES = sorted(path for name in ("scanner", "responder") for path in (ROOT / name).rglob("*.py"))
_SPAN = re.compile(r"`+(stanch [^`]+?)`+")
_LINE = re.compile(r"^\s*(?:[$#] )?(stanch [^#\n]*)", re.MULTILINE)
_FENCE = re.compile(
    r"^ *```[^\n]*\n(.*?)^ *```|((?:^(?: {4}|\t)[^\n]*\n)+)", re.MULTILINE | re.DOTALL
)
_LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)")


def said(text: str) -> list[str]:
    """Every `stanch …` command of a page: in spans, and in the lines of code blocks."""
    blocks = "\n".join(a or b for a, b in _FENCE.findall(text))
    spans = _SPAN.findall(_FENCE.sub("", text).replace("\n", " "))
    return [" ".join(found.split()) for found in (*spans, *_LINE.findall(blocks))]


def fault(words: str) -> str | None:
    """What is wrong with a command line; None when command and options exist."""
    # What stands for something: LK-<n>, {label}, [--flag], …
    plain = re.sub(r"\{[^}]*\}", "LK-7", words).replace("…", "").replace("...", "")
    parts = shlex.split(re.split(r" (?:\||>|&&|<) ", plain)[0].translate(_BRACKETS))[1:]
    command: click.Command = stanch
    context = click.Context(command, info_name="stanch")
    while isinstance(command, click.Group) and parts and not parts[0].startswith("-"):
        name = parts.pop(0)
        found = command.get_command(context, name)
        if found is None:
            return f"there is no command {name!r}"
        command, context = found, click.Context(found, info_name=name, parent=context)
    known = {
        name for each in command.get_params(context) for name in (*each.opts, *each.secondary_opts)
    }
    known |= {"-h", "--help"} | getattr(command, "foreign", frozenset())
    wrong = [part for part in parts if part.startswith("-") and part.partition("=")[0] not in known]
    return f"no option {wrong[0]}" if [part for part in wrong if part != "-"] else None


_BRACKETS = str.maketrans(dict.fromkeys("[]<>()'", " "))


def test_a_wrong_command_or_option_is_noticed() -> None:
    page = (
        "Use `stanch respnd x`.\n\n"
        "```sh\n$ stanch approve LK-1 --rason x\n```\n\n"
        "    stanch scan .\n"
    )
    assert [fault(line) for line in said(page)] == [
        "there is no command 'respnd'",
        "no option --rason",
        None,
    ]
    assert fault("stanch respond LK-{n} --as alice | tee log --append") is None


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_of_a_page_exists_with_its_options(page: Path) -> None:
    wrong = [f"{line}: {why}" for line in said(page.read_text()) if (why := fault(line))]
    assert wrong == []


def test_every_command_that_a_message_names_exists() -> None:
    wrong = []
    for path in SOURCES:
        text = re.sub(r'"\n\s*f?"', "", path.read_text())  # strings that go on in the next line
        wrong += [
            f"{path.relative_to(ROOT)}: {line}: {why}"
            for line in _SPAN.findall(text)
            if (why := fault(" ".join(line.split())))
        ]
    assert wrong == []


def test_every_page_that_a_message_names_exists() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in SOURCES
        for name in re.findall(r"docs/[\w/-]+\.md", path.read_text())
        if not (ROOT / name).is_file()
    ]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_of_a_page_resolves(page: Path) -> None:
    wrong = []
    for link in _LINK.findall(_FENCE.sub("", page.read_text())):
        target, _, anchor = link.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        path = (page.parent / target).resolve() if target else page
        lost = anchor and path.suffix == ".md" and anchor not in anchors(path)
        if lost or not path.exists():
            wrong.append(link)
    assert wrong == []


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    text = page.read_text() if page.is_file() else ""
    headings = re.findall(r"^#{1,6} +(.+?) *#*$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def test_the_changelog_has_a_section_for_what_is_coming() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    sections = re.findall(r"^## \[([^\]]+)\]", text, re.MULTILINE)
    assert sections[0] == "Unreleased"
    for name in sections[1:]:
        assert re.fullmatch(r"\d+\.\d+\.\d+", name)


def test_the_readme_names_the_two_commands_of_a_fresh_machine() -> None:
    text = (ROOT / "README.md").read_text()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b(?=[`\s])", text))
    assert {"demo", "test"} <= named
    assert {
        name for name in named if f"`make {name}" in text or f"\nmake {name}" in text
    } <= targets


def test_the_architecture_says_the_layers_that_are_checked() -> None:
    """In the words of the import contracts, for each that has rooms."""
    page = " ".join((ROOT / "docs" / "architecture.md").read_text().replace("`", "").split())
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    chains = [" → ".join(each["layers"]) for each in tool["contracts"] if "layers" in each]
    assert len(chains) == 4
    assert [chain for chain in chains if chain not in page] == []


def test_the_architecture_has_a_row_for_every_room() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    for top in ("scanner", "responder"):
        rooms = [
            path
            for path in (ROOT / top).iterdir()
            if (path / "__init__.py").exists() or path.suffix == ".py"
        ]
        named = [f"`{top}/{path.name}`" for path in rooms if path.name[0] != "_"]
        assert [name for name in named if name not in page] == []


@pytest.mark.parametrize("name", ["glossary.md", "architecture.md"])
def test_every_module_that_a_page_names_exists(name: str) -> None:
    """As it stands below the root, the responder, its AWS folder or the scanner's rooms."""
    page = re.sub(r"```.*?```", "", (ROOT / "docs" / name).read_text(), flags=re.DOTALL)
    named = set(re.findall(r"`([\w./*-]+(?:\.py|/))`", page))
    bases = ("", "responder", "responder/providers/aws", "scanner", "scanner/hook")
    folders = [ROOT / base for base in (*bases, "scanner/cli", "scanner/sources", "tests")]
    folders += [ROOT / "tests" / "scanner" / "sources"]
    folders += [ROOT / "scanner" / "detectors", ROOT / "tests" / "faults"]
    stands = re.compile(r"[A-Z]{4,}")  # KIND.py is no module
    assert [
        each
        for each in sorted(named)
        if not stands.search(each) and not any(list(base.glob(each)) for base in folders)
    ] == []


def test_what_the_threat_model_rests_on_exists() -> None:
    """Each test that it names, and each word that it puts into doctor's mouth."""
    text = " ".join((ROOT / "docs" / "threat-model.md").read_text().split())
    tests = list((ROOT / "tests").rglob("test_*.py"))
    known = {path.stem for path in tests}
    for path in tests:
        known |= set(re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE))
    named = set(re.findall(r"`(test_\w+)`", text))
    assert named - known == set()
    assert len(named) > 40
    rooms = ("checkup", "domain", "providers/aws")
    doctor = re.sub(
        r'"\n\s*f?"', "", "".join(
            path.read_text() for room in rooms for path in (ROOT / "responder" / room).glob("*.py")
        )
    )  # fmt: skip
    quoted = [
        said
        for group in re.findall(r'doctor: ("[^"]+"(?:, "[^"]+")*)', text)
        for said in re.findall(r'"([^"]+)"', group)
    ]
    assert [said for said in quoted if said not in doctor] == []
    assert len(quoted) > 10
