"""What joins findings that belong together, and ranks those that overlap."""
