"""Fleets: one scan of many things by any number of workers, planned and merged in the store."""
