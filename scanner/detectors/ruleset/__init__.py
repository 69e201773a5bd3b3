"""How rules are read, kept and compiled."""
