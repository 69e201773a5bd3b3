"""This user's machine: settings, the fingerprint key, the cache."""
