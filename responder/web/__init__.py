"""HTTP: health and read-only pages."""
