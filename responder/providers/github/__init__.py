"""GitHub: personal, OAuth, app and installation tokens."""
