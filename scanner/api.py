"""The one door to the scanner for everybody else (contract; the engine stands behind it)."""
