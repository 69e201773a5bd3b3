"""One YAML file per kind of leak, and the policies. Data only."""
