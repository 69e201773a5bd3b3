"""The stores of secrets, one file each, behind one port; ``registry.py`` lists them."""
