"""What is not in the inventory and should be: keys, files, and references in code."""
