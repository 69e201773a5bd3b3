"""What can be looked at and done in AWS."""
