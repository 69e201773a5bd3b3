"""What can be done to the world, one readable registry."""
