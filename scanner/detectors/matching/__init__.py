"""Where a rule could match, and where it does."""
