"""What applications and commands open: stores, resolution and the record, joined."""
