"""``stanch secrets``: one file for each command."""
