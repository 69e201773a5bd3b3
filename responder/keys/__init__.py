"""Where our own keys are kept."""
