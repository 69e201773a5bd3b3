"""Every report format by its name. A module is loaded when its format is asked for."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType

from stanch.scanner.reports.report import Renderer

# A commit and most scans write one format, and starting has to be quick.
_MODULES = MappingProxyType(
    {
        "table": "table",
        "jsonl": "jsonl",
        "sarif": "sarif",
        "gitlab": "gitlab",
        "junit": "junit",
        "html": "html_page",
        "csv": "csv_file",
        "annotations": "annotation",
        "summary": "step_summary",
    }
)
FORMATS = tuple(_MODULES)


def renderer(name: str) -> Renderer:
    """The renderer of a format. Raises KeyError for a name that is not in :data:`FORMATS`."""
    made: Renderer = import_module(f"stanch.scanner.reports.{_MODULES[name]}").render
    return made
