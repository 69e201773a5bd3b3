"""Repositories and everything that git is asked for."""
