"""What stands around a value: names, assignments, columns, URLs, connection strings."""
