"""How values reach the program that needs them: never in its arguments, never on a disk."""
