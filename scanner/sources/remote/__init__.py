"""Repositories on other hosts: their addresses, copies of them, and who lists them."""
