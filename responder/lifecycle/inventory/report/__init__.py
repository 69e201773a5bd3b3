"""The matrix for people and programs, one file each."""
