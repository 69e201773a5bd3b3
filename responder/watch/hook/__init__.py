"""Webhooks: who sent one, what it says, and the one effect that it has."""
