"""Evidence for auditors: what was measured, where it is written, and how to prove it."""
