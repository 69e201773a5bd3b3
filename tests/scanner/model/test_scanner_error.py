"""Errors carry what to do."""

from __future__ import annotations

import pytest

from stanch.scanner.model.error import RuleError, ScannerError, SourceError, UsageError


@pytest.mark.parametrize(("kind", "code"), [(UsageError, 2), (RuleError, 2), (SourceError, 3)])
def test_an_error_says_what_to_do_and_how_the_command_ends(
    kind: type[ScannerError], code: int
) -> None:
    error = kind("the target cannot be read", remedy="mend its permissions")
    assert (str(error), error.remedy) == ("the target cannot be read", "mend its permissions")
    assert error.exit_code == code
