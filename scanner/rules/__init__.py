"""One YAML file per provider: patterns that carry their own proof."""
