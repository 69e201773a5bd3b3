"""Finds leaked credentials in code, history and streams. Knows nothing of incidents."""
