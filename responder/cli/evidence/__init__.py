"""``stanch evidence``."""
