"""``stanch baseline``: accept findings, audit them, exchange them with detect-secrets."""
