"""Pure values and decisions of a secret's life, and the port that stores implement."""
