from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("schema", "path", "extra"),
    [
        ("vendor.github-actions", "action.yml", ()),
        ("vendor.github-workflows", "docs/ci/github.yml", ()),
        ("vendor.gitlab-ci", "docs/ci/gitlab.yml", ("--data-transform", "gitlab-ci")),
    ],
)
def test_what_pipelines_copy_is_valid(schema: str, path: str, extra: tuple[str, ...]) -> None:
    program = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run(
        [program, "--builtin-schema", schema, *extra, ROOT / path],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_action_names_no_input_inside_of_a_script() -> None:
    # An input between `${{ }}` in a script is run by the shell, whoever has written it.
    text = (ROOT / "action.yml").read_text()
    scripts = text.split("run: |")[1:]
    assert scripts
    assert all("${{" not in script.split("\n    - ")[0] for script in scripts)
