"""One YAML file to rules, strictly: an error names file, line and the nearest key."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from enum import StrEnum
from typing import NoReturn, TypeVar

import yaml

from stanch.scanner.detectors.checks import CHECKS
from stanch.scanner.detectors.document.readings import READINGS
from stanch.scanner.detectors.matching.pattern import (
    bounded_effort,
    compiled,
    fronted,
    placed,
    whole,
    width_of,
)
from stanch.scanner.model.error import RuleError
from stanch.scanner.model.finding import Confidence, Severity
from stanch.scanner.model.nearest import nearest
from stanch.scanner.model.rule import Pairing, PreviewStyle, Rule, RuleClass

_TOP = ("provider", "rules")
_REQUIRED = (
    *("id", "kind", "title", "class", "severity", "confidence"),
    *("remedy", "link", "match", "reject"),
)
_OPTIONAL = (
    "pattern",
    "token",
    "after",
    "place",
    "part",
    "keywords",
    "checks",
    "pairing",
    "preview",
    "document",
)
_PAIRING = ("rule", "within", "kind", "severity", "also")
_DEEPEST = 20
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NAME = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")

Choice = TypeVar("Choice", bound=StrEnum)
_Fields = dict[str, yaml.Node]


def parse(text: str, name: str) -> tuple[Rule, ...]:
    """The rules of one file called ``name``; raises :class:`RuleError` for the first mistake."""
    try:
        _refuse_depth(text, name)
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RuleError(
            f"{name}:{line}: not YAML: {error.problem}", remedy="mend the syntax on that line"
        ) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise RuleError(
            f"{name}:{line}: not YAML: {error.reason}", remedy="remove the character from that line"
        ) from error
    except (RecursionError, UnicodeEncodeError) as error:
        raise RuleError(
            f"{name}:1: not YAML: {type(error).__name__}", remedy="save it as plain UTF-8 text"
        ) from error
    if root is None:
        raise RuleError(f"{name}:1: the file is empty", remedy="write `provider:` and `rules:`")
    return tuple(_File(name).rules(root))


def _refuse_depth(text: str, name: str) -> None:
    """Composing nests as deep as the file does, in C, where too deep ends the program."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise RuleError(
                    f"{name}:{line}: nested too deeply",
                    remedy="write rules as docs/rules.md shows them",
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _File:
    """Reads nodes of one file and knows what to call it in errors."""

    def __init__(self, name: str) -> None:
        self._name = name

    def rules(self, root: yaml.Node) -> Iterator[Rule]:
        top = self._mapping(root, required=_TOP, optional=())
        provider = self._name_of(top["provider"], "provider")
        entries = top["rules"]
        if not isinstance(entries, yaml.SequenceNode) or not entries.value:
            self._fail(entries, "`rules` is not a list of rules", "write `rules:` and `- id: …`")
        for entry in entries.value:
            yield self._rule(provider, entry)

    def _rule(self, provider: str, node: yaml.Node) -> Rule:
        fields = self._mapping(node, required=_REQUIRED, optional=_OPTIONAL)
        text = {key: self._line(fields[key]) for key in ("title", "remedy", "link")}
        checks = self._texts(fields.get("checks"))
        for check in checks:
            if check not in CHECKS:
                self._fail(fields["checks"], f"there is no check `{check}`", nearest(check, CHECKS))
        match = self._texts(fields["match"])
        if not match and not _is_null(fields["match"]):  # `null` says that it is unproven
            self._fail(fields["match"], "a rule needs an example that it finds", "add a template")
        return Rule(
            id=self._id(fields["id"]),
            provider=provider,
            kind=self._name_of(fields["kind"], "kind"),
            part=self._name_of(fields["part"], "part") if "part" in fields else "value",
            rule_class=self._choice(fields["class"], RuleClass),
            severity=self._choice(fields["severity"], Severity),
            confidence=self._choice(fields["confidence"], Confidence),
            pattern=self._shape(node, fields),
            keywords=self._texts(fields.get("keywords")),
            checks=checks,
            pairing=self._pairing(fields["pairing"]) if "pairing" in fields else None,
            match=match,
            reject=self._texts(fields["reject"]),
            origin=f"{self._name}:{node.start_mark.line + 1}",
            document=self._document(fields["document"]) if "document" in fields else None,
            preview=self._choice(fields["preview"], PreviewStyle)
            if "preview" in fields
            else PreviewStyle.LENGTH,
            **text,
        )

    def _document(self, node: yaml.Node) -> str:
        name = self._text(node)
        if name not in READINGS:
            self._fail(node, f"there is no document `{name}`", nearest(name, READINGS))
        return name

    def _pairing(self, node: yaml.Node) -> Pairing:
        fields = self._mapping(node, required=_PAIRING[:-1], optional=_PAIRING[-1:])
        within = self._text(fields["within"])
        if not within.isdigit() or not 0 < int(within) <= 50:  # noqa: PLR2004 - said in the message
            self._fail(fields["within"], "`within` is not 1 to 50 lines", "write a number of lines")
        return Pairing(
            rule=self._text(fields["rule"]),
            within=int(within),
            kind=self._name_of(fields["kind"], "kind"),
            severity=self._choice(fields["severity"], Severity),
            also=self._texts(fields.get("also")),
        )

    def _shape(self, node: yaml.Node, fields: _Fields) -> str:
        """A free ``pattern``, a ``token`` that stands alone or after a name, or a ``place``."""
        given = [key for key in ("pattern", "token", "place") if key in fields]
        if not given:
            self._fail(node, "`pattern` is missing", "add `pattern:` or `token:` (docs/rules.md)")
        for other in given[1:]:
            self._fail(fields[other], f"`{given[0]}` is given as well", "keep one of the two")
        core = fields[given[0]]
        names = self._texts(fields.get("after"))
        if given == ["token"]:
            self._pattern(core)
            return self._pattern(core, whole(self._text(core), names))
        if names:
            self._fail(fields["after"], "`after` belongs to `token`", "write `token:`")
        text = self._text(core)
        return self._pattern(core, placed(text) if given == ["place"] else fronted(text))

    def _pattern(self, node: yaml.Node, expanded: str | None = None) -> str:
        pattern = expanded or self._text(node)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", FutureWarning)  # "[[" will mean something else
                compiled(pattern)
                width_of(pattern)
        except (
            re.error,
            UnicodeEncodeError,
            FutureWarning,
            RecursionError,
            OverflowError,
        ) as error:
            self._fail(node, f"the pattern is not valid: {error}", "write an ASCII `re` pattern")
        except RuleError as error:
            self._fail(node, str(error), error.remedy)
        if not bounded_effort(pattern):
            self._fail(
                node,
                "the pattern could try one text in too many ways",
                "do not repeat what holds a repetition of its own",
            )
        if compiled(pattern).search(b"") is not None:
            self._fail(node, "the pattern matches nothing at all", "require at least one character")
        return pattern

    def _id(self, node: yaml.Node) -> str:
        return self._word(node, _ID, "rule id")

    def _name_of(self, node: yaml.Node, what: str) -> str:
        return self._word(node, _NAME, what)

    def _word(self, node: yaml.Node, form: re.Pattern[str], what: str) -> str:
        """A name that stands in every report, and in commands to paste."""
        value = self._text(node)
        if not form.fullmatch(value):
            self._fail(node, f"{value!r} is not a {what}", "use lower case words joined by hyphens")
        return value

    def _line(self, node: yaml.Node) -> str:
        """A text for people: of one line, and without signs that change how others are shown."""
        value = self._text(node)
        if not value.isprintable():
            self._fail(node, "a sign in it cannot be printed", "write one line of plain text")
        return value

    def _choice(self, node: yaml.Node, kind: type[Choice]) -> Choice:
        value = self._text(node)
        try:
            return kind(value)
        except ValueError:
            self._fail(node, f"`{value}` is not one of {', '.join(kind)}", nearest(value, kind))

    def _texts(self, node: yaml.Node | None) -> tuple[str, ...]:
        if node is None or _is_null(node):
            return ()
        if not isinstance(node, yaml.SequenceNode):
            self._fail(node, "expected a list", "write `[one, two]` or `- one` on its own line")
        return tuple(self._text(item) for item in node.value)

    def _text(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode) or not str(node.value).strip():
            self._fail(node, "expected a text", "write one value, quoted if it has special signs")
        return str(node.value)

    def _mapping(
        self, node: yaml.Node, *, required: tuple[str, ...], optional: tuple[str, ...]
    ) -> _Fields:
        if not isinstance(node, yaml.MappingNode):
            self._fail(node, "expected keys and values", f"write {', '.join(required)}")
        fields: _Fields = {}
        for key, value in node.value:
            name = self._text(key)
            if name not in required + optional:
                self._fail(key, f"unknown key `{name}`", nearest(name, required + optional))
            if name in fields:
                self._fail(key, f"`{name}` is given twice", "keep one of the two")
            fields[name] = value
        for name in required:
            if name not in fields:
                self._fail(node, f"`{name}` is missing", f"add `{name}:` (docs/rules.md)")
        return fields

    def _fail(self, node: yaml.Node, message: str, remedy: str) -> NoReturn:
        raise RuleError(f"{self._name}:{node.start_mark.line + 1}: {message}", remedy=remedy)


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"
