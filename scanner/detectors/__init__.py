"""Fragment to Match, without a network: prefilter, confirmation, structure checks, pairing."""
