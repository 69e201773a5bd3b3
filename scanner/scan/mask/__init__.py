"""Takes credentials out of text that goes on: what the rules find, and values that are known."""
