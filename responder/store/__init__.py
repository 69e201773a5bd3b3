"""The truth in a database: SQLite embedded, PostgreSQL for a team."""
