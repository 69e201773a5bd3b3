"""Runs a plan through the ports: loader, planner, executor, reversal."""
