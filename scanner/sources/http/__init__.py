"""How other hosts are asked: guarded, patient, and with credentials for their own host alone."""
