"""Pure renderers: findings to text. Everything that came from outside is escaped here."""
