"""Generated tokens, and the proof that a rule finds its own."""
