"""Commands about the copies of a credential."""
