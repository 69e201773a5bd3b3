"""Which files are settings or texts, in which a bare word is a value: by name, else by content."""

from __future__ import annotations

import re
from functools import lru_cache

from stanch.scanner.detectors.text.regex_cache import regex

#: Settings in which a value without quotes goes on up to white space, whatever signs are in it.
_EXACT = regex(
    r"(?i)\.(?:env|ya?ml|properties|ini|cfg|conf|cnf|toml|tfvars|xml|npmrc|netrc|pgpass|plist|service|"
    r"config|settings|nmconnection|ovpn|secrets?|credentials|netplan|timer|socket|desktop|reg|inf|"
    r"prefs|options|params|parameters|vars|variables|kdl|hocon|dsn|url)$"
    r"|(?:^|/)(?:\.?env(?:[._-][\w.-]*)?|\.?[a-z]\w*rc|\.?\w*(?:credentials|secrets?|passwords?|cfg)|config|"
    r"environment|inventory|hosts|\.boto|\.my\.cnf|application|settings)$"
)
#: Other files in which a bare word is a value: texts, and shells, whose signs have a meaning.
_TEXTS = regex(
    r"(?i)\.(?:md|rst|txt|adoc|csv|tsv|log|html?|http|rest|ldif|eml|text|nfo|out|org|wiki|textile)$"
    r"|(?:^|/)(?:readme|notes?|changelog|typescript)$"
)
_SHELLS = regex(
    r"(?i)\.(?:sh|bash|zsh|ksh|fish|csh|envrc|sql|ps1|psm1|bat|cmd|mk|mak|dockerfile|expect|cron|history|preseed)$"
    r"|(?:^|/)(?:[\w.-]*Dockerfile[\w.-]*|Containerfile|Jenkinsfile|Vagrantfile|Makefile|GNUmakefile|"
    r"crontab|[\w.-]*_history|\.(?:bash|zsh)\w*|\.?profile|\.login)$"
)
#: Programs, in which a bare word is a variable, and files that quote every text.
_PROGRAMS = regex(
    r"(?i)\.(?:py[ix]?|ipynb|pyw|rb|rake|gemspec|ru|php\d?|phtml|inc|p[lm]|t|pod|js|jsx|tsx?|[cm]js|[cm]ts|vue|"
    r"svelte|java|kts?|scala|sc|groovy|gradle|clj[cs]?|edn|go|rs|[chm]|cc|cpp|cxx|c\+\+|h[hx]x|hpp|mm|cs|csx|vb|"
    r"vbs|bas|cls|frm|fs[ix]?|swift|dart|lua|r|rmd|jl|exs?|eex|leex|heex|erl|hrl|hs|lhs|mli?|pas|dpr|pp|tcl|el|"
    r"lisp|scm|rkt|zig|nim|d|v|svh?|vhdl?|asm|s|f90|f|for|cob|cbl|sol|vy|proto|thrift|graphqls?|gql|tf|hcl|"
    r"bicep|jsp|jspx|tag|aspx?|ascx|cshtml|razor|xaml|ejs|hbs|haml|slim|sass|scss|less|css|cmake|gn|gni|bzl|bazel|"
    r"star|nix|jsonnet|libsonnet|cue|rego|json[5c]?|geojson|map|am|ac|m4|y|l|yy|ll|cu|cl|glsl|hlsl|wgsl|ino|"
    r"xsl|xslt|xsd|wsdl|svg|feature|robot|cr|raku|purs|elm|res|rei?|coffee|ls|awk|sed|ads|adb|apex|trigger|abap)$"
    r"|(?:^|/)(?:Gemfile|Rakefile|Podfile|Brewfile|Fastfile|Guardfile|Capfile|BUILD|WORKSPACE|Tiltfile|"
    r"CMakeLists\.txt|SConstruct|SConscript|wscript|configure)$"
)
#: What stands behind a file's own suffix: it was copied, or is a template or an example of it.
_COPIED = regex(
    r"(?i)(?<=[\w.])(?:\.(?:j2|jinja2?|erb|epp|tmpl|tpl|gotmpl|template|mustache|liquid|twig|njk|bak|backup|old|"
    r"orig|original|sav|saved?|swp|copy|dist|sample|example|default|disabled|in|rpm(?:new|save|orig)|"
    r"dpkg-(?:old|new|dist|tmp)|ucf-(?:old|new|dist)|prod(?:uction)?|dev(?:elopment)?|stag(?:e|ing)|test|local|"
    r"live|qa|uat|ci|docker|dec|decrypted|plain|\d{1,14})|~|[_-](?:bak|old|backup|orig|copy))$"
)
_MOST_SUFFIXES = 3
_SAMPLE = 2048
_INTERPRETED = regex(rb"#!.{0,60}(?:python|ruby|perl|node|php|lua|tclsh)|<\?php")
_REMARKS = (b"#", b";", b"!", b"[")
_SETTING = regex(
    rb"[+-]?[ \t]*[\"']?[\w.\-/ \[\]]{1,60}[\"']?[ \t]*[:=].*[^;{(,\\]|[A-Za-z][\w.-]{1,30}[:=]"
)
_STATEMENT = regex(
    rb"[;{(]$|^(?:def|class|import|from|function|package|use|using|return|if|for)\b|^#include"
)
_BARE = frozenset((_EXACT, _TEXTS, _SHELLS))


def is_settings(path: str, data: bytes = b"") -> bool:
    """Files in which a bare word is a value; of an unknown kind when their lines look like it."""
    kind = _kind(path)
    return kind in _BARE or (kind is None and _assigns(data[:_SAMPLE]))


def is_exact(path: str, data: bytes = b"") -> bool:
    """Settings in which a bare value goes on up to white space, whatever signs are in it."""
    kind = _kind(path)
    return kind == _EXACT or (kind is None and _assigns(data[:_SAMPLE]))


def is_shell(path: str) -> bool:
    """Files of commands: a bare word is a value, and signs have a meaning."""
    return _kind(path) == _SHELLS


@lru_cache(maxsize=64)
def _kind(path: str) -> re.Pattern[str] | None:
    """What a file's name says of it, whatever was put behind the name."""
    for _ in range(_MOST_SUFFIXES):
        for kind in (_EXACT, _SHELLS, _TEXTS, _PROGRAMS):
            if kind.search(path):
                return kind
        shorter = _COPIED.sub("", path)
        if shorter == path:
            break
        path = shorter
    name = path.rpartition("/")[2]
    return _EXACT if name[:1] == "." and "." not in name[1:] else None


@lru_cache(maxsize=4)
def _assigns(head: bytes) -> bool:
    """Whether most lines give a name a value, as settings do, and few end as statements do."""
    if _INTERPRETED.match(head):
        return False
    lines = [line.strip() for line in head.split(b"\n")]
    lines = [line for line in lines if line and line[:1] not in _REMARKS]
    settings = sum(_SETTING.fullmatch(line) is not None for line in lines)
    statements = sum(_STATEMENT.search(line) is not None for line in lines)
    return settings * 2 >= len(lines) > 0 and statements * 5 <= len(lines)
