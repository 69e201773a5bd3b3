"""The terminal surface: the same cards without Slack."""
