"""Values that were read are kept for a while: sealed, dated, and forgotten everywhere at once."""
