"""The one place that may hold a leaked value."""
