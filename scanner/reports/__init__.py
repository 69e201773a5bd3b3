"""Pure renderers of findings."""
