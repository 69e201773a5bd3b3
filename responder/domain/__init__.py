"""Pure types and decisions. No input or output, no vendor package, no clock of its own."""
