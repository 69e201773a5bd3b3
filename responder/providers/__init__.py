"""What can be done to the world: one folder for each provider, joined in a readable list."""
