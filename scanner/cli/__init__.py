"""One file per command of the scanner: scan, rules."""
