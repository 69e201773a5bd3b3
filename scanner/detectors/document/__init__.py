"""Structured text read as structure: JSON and YAML as nodes with positions, and what they hold."""
