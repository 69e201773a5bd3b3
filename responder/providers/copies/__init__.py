"""Copies of a credential, wherever it was seen: which can be taken away, and by whom."""
