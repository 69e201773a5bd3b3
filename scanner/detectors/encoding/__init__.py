"""What stands encoded in a text, or between colours."""
