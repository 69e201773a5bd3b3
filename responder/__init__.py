"""Contains leaked credentials, rotates them, proves them dead and explains what happened."""
