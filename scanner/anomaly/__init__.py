"""What is normal for this place, and what is not: statistics over fragments, no rules."""
