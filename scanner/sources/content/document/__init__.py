"""Opens documents: what programs keep text in, each kind in a file of its own."""
