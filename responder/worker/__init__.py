"""Celery: carries ids, decides nothing."""
