"""Where bytes come from: each source lists items, and reads them as fragments and gaps."""
