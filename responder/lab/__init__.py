"""The offline world for demo, drills and tests."""
