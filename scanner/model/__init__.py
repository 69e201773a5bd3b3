"""Frozen values that every room of the scanner shares. Standard library only."""
