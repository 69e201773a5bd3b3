from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from stanch.scanner.cli.scan import command
from stanch.scanner.detectors.proof.token_generator import generate


def test_explain_says_why_in_sentences_and_nothing_secret(tmp_path: Path) -> None:
    value = generate("{password}", 9).decode()
    (tmp_path / "app.env").write_text(f"DB_PASSWORD={value}\n")
    seen = CliRunner().invoke(
        command, [str(tmp_path), "--no-history", "--explain"], env={"HOME": str(tmp_path)}
    )
    assert seen.exit_code == 1, seen.output
    assert "where only the secret itself can stand" in " ".join(seen.output.split())
    assert "stanch rules show generic-assignment" in " ".join(seen.output.split())
    assert value not in seen.output
