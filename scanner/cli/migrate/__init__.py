"""``stanch migrate``: what the files of another scanner allow, as allowlists of ours."""
