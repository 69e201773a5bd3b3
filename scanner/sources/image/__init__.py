"""Container images: layers and what stands beside them, without an engine."""
