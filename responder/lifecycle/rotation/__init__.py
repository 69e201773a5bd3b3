"""A secret becomes another one while its consumers go on working."""
