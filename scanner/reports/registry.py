"""Every report format by its name. A module is loaded when its format is asked for."""

from __future__ import annotations

from stanch.scanner.reports.report import Renderer

FORMATS = ("table", "jsonl", "sarif", "gitlab", "junit", "html", "csv", "annotations", "summary")


def renderer(name: str) -> Renderer:  # noqa: PLR0911  # one for each format
    """The renderer of a format. Raises KeyError for a name that is not in :data:`FORMATS`."""
    # ruff: noqa: PLC0415  # a commit and most scans write one format, and starting has to be quick
    match name:
        case "table":
            from stanch.scanner.reports import table

            return table.render
        case "jsonl":
            from stanch.scanner.reports import jsonl

            return jsonl.render
        case "sarif":
            from stanch.scanner.reports import sarif

            return sarif.render
        case "gitlab":
            from stanch.scanner.reports import gitlab

            return gitlab.render
        case "junit":
            from stanch.scanner.reports import junit

            return junit.render
        case "html":
            from stanch.scanner.reports import html_page

            return html_page.render
        case "csv":
            from stanch.scanner.reports import csv_file

            return csv_file.render
        case "annotations":
            from stanch.scanner.reports import annotation

            return annotation.render
        case "summary":
            from stanch.scanner.reports import step_summary

            return step_summary.render
        case _:
            raise KeyError(name)
